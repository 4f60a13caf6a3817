/**
 * The page's end of the model worker; no DOM. One worker for every model: started when first asked, let go when idle.
 * It always answers: a device that cannot run a model is an answer too, never an exception.
 *
 * Answers of load():          {status: "ready", model, problem, ms, resources} or {status: "unavailable", code, reason}
 * Answers of check():         {status: "verdict", verdict, ms}      ms: as felt by the caller
 *            of checkPhoto(): the same with `activation` (bytes, for a second opinion) and `timing`
 *            of prepare():    {status: "prepared", blob, width, height, sha256}
 *            of embedQuery(): {status: "vector", vector, space}         Int8Array, or null
 *            of interests():  {status: "interests", interests, space}   Float32Arrays of length 1
 *            of all of these: {status: "superseded"}                    a newer check took its place
 *                             {status: "aborted"}                       the caller's AbortSignal fired
 *                             {status: "unavailable", code, reason}     the device could not; reason is plain English
 */

const TEXT = "listing-text";
export const PHOTO = "listing-photo";
const QUERY = "query-tower";
const USER = "user-tower";
const IDLE_MS = 30_000;
const LOAD_TIMEOUT_MS = 60_000;
const CHECK_TIMEOUT_MS = 8_000;
const PREPARE_TIMEOUT_MS = 60_000; // 48 megapixels on an old phone
const RETRY_AFTER_MS = 20_000;

const REASONS = {
  worker: "the check's program could not start",
  manifest: "the list of models could not be read",
  "model-download": "the model could not be downloaded",
  "model-corrupt": "the model arrived damaged",
  insecure: "this page was not opened over a secure connection",
  runtime: "this browser cannot run the model",
  "too-slow": "this device took too long",
  run: "the model stopped unexpectedly",
  "not-a-photo": "the file is no photo",
  "cut-off": "the file is damaged or was cut off",
  "too-many-pixels": "the photo has too many pixels",
  "cannot-open": "this browser cannot open the file",
};

/**
 * workerImports: the modules that the worker comes to know of one after the other. They and the list of models are
 * fetched while it starts, so that its own requests are answered by the browser's cache and not by five round trips.
 * @param {{workerUrl: string, manifestUrl: string, workerImports?: string[], fetcher?: typeof fetch, spawn?: (url: string) => Worker, idleMs?: number,
 *   loadTimeoutMs?: number, checkTimeoutMs?: number, prepareTimeoutMs?: number, retryAfterMs?: number,
 *   now?: () => number}} options
 */
export function createClient(options) {
  const settings = {
    spawn: (url) => new Worker(url, { type: "module", name: "models" }),
    idleMs: IDLE_MS,
    loadTimeoutMs: LOAD_TIMEOUT_MS,
    checkTimeoutMs: CHECK_TIMEOUT_MS,
    prepareTimeoutMs: PREPARE_TIMEOUT_MS,
    retryAfterMs: RETRY_AFTER_MS,
    now: () => performance.now(),
    workerImports: [],
    fetcher: (...request) => fetch(...request),
    ...options,
  };
  let worker = null;
  let isFetched = false;
  const loading = new Map(); // model → {promise, settle} while a worker lives
  // model (or ANY) → {answer, at}: no new attempt before retryAfterMs, so that typing does not hammer a dead server
  const failures = new Map();
  const known = new Map(); // model → what the list said of it when it was loaded, see namesOf
  let idleTimer = null;
  let nextId = 1;
  const pending = new Map(); // id → {model, resolve, began, timer, release}

  function load(model = TEXT) {
    const known = loading.get(model);
    if (known) return known.promise;
    const broken = failed(model) ?? start();
    if (broken) return Promise.resolve(broken);
    const entry = {};
    loading.set(model, entry);
    entry.promise = new Promise((resolve) => {
      const timer = setTimeout(() => breakDown("too-slow", "loading took too long", model), settings.loadTimeoutMs);
      entry.settle = (answer) => {
        clearTimeout(timer);
        entry.settle = null;
        resolve(answer);
      };
    });
    worker.postMessage({ type: "load", name: model, manifestUrl: settings.manifestUrl });
    rest();
    return entry.promise;
  }

  /** @returns {object|null} an answer when there can be no worker */
  function start() {
    if (worker) return null;
    try {
      const started = settings.spawn(settings.workerUrl);
      worker = started;
      fetchAhead();
      // A worker that was let go may still have words in the post: only the current one is heard.
      const listen = (kind, hear) => started.addEventListener(kind, (event) => worker === started && hear(event));
      listen("message", ({ data }) => receive(data));
      listen("error", (event) => {
        event.preventDefault?.();
        breakDown("worker", event.message);
      });
      listen("messageerror", () => breakDown("worker", "unreadable message"));
      return null;
    } catch (error) {
      return breakDown("worker", String(error?.message ?? error));
    }
  }

  function fetchAhead() {
    if (isFetched) return;
    isFetched = true;
    const take = async (url, options) => (await settings.fetcher(url, options)).arrayBuffer();
    const asked = [take(settings.manifestUrl, { credentials: "omit" }), ...settings.workerImports.map((url) => take(url))];
    for (const answer of asked) answer.catch(() => {}); // the worker asks again, and says what is wrong
  }

  function failed(model) {
    for (const name of [ANY, model]) {
      const failure = failures.get(name);
      if (failure && settings.now() - failure.at < settings.retryAfterMs) return failure.answer;
      failures.delete(name);
    }
    return null;
  }

  /**
   * Ask whether the list of models says something else of a model than the one that was loaded. Costs a few hundred
   * bytes: the browser asks with the list's ETag. What is new counts from the next load() or check() on.
   * @returns {Promise<boolean>} false as well when the list could not be had: one goes on with what there is
   */
  async function renewed(model = TEXT) {
    const before = known.get(model);
    if (before === undefined || loading.get(model)?.settle) return false; // or it is just being loaded
    let now;
    try {
      const response = await settings.fetcher(settings.manifestUrl, { credentials: "omit", cache: "no-cache" });
      if (!response.ok) return false;
      now = namesOf((await response.json()).models?.[model]);
    } catch {
      return false;
    }
    if (now === before || now === null) return false;
    known.delete(model);
    if (worker) {
      worker.postMessage({ type: "renew", name: model, manifestUrl: settings.manifestUrl });
      loading.delete(model);
    }
    return true;
  }

  /** Send a job and wait for its answer. `model`: what must be loaded before, null for none. */
  async function ask(message, model, { signal } = {}) {
    if (signal?.aborted) return { status: "aborted" };
    const began = settings.now();
    const id = nextId;
    nextId += 1;
    const answer = new Promise((resolve) => {
      const onAbort = () => {
        worker?.postMessage({ type: "cancel", id });
        settle(id, { status: "aborted" });
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      pending.set(id, { model, resolve, began, timer: null, release: () => signal?.removeEventListener("abort", onAbort) });
    });
    const loaded = model ? await Promise.race([load(model), answer]) : (failed(null) ?? start() ?? {});
    if (loaded.status === "unavailable") settle(id, loaded);
    const job = pending.get(id);
    if (job) {
      job.timer = model
        ? setTimeout(() => breakDown("too-slow", "a check took too long"), settings.checkTimeoutMs)
        : setTimeout(() => hung(id), settings.prepareTimeoutMs);
      worker.postMessage({ ...message, id });
      rest();
    }
    return answer;
  }

  /** A photo that the decoder does not let go of: those behind it need another worker, once no check is running. */
  function hung(id) {
    settle(id, unavailable("too-slow"));
    if (![...pending.values()].some((job) => job.model)) stop();
  }

  function receive(data) {
    rest();
    const { type, id, ...content } = data;
    if (type === "ready") {
      const { name, version, release, sha256 } = data.model;
      // With a problem it works without the release of the list: then the list always says something else, and whoever
      // asks again has it loaded anew.
      known.set(name, content.problem ? WITHOUT_RELEASE : namesOf({ version: String(version).split("+")[0], sha256, release: { number: release } }));
      loading.get(name)?.settle?.({ ...content, status: "ready" });
    } else if (type === "dropped") settle(id, { status: "superseded" });
    else if (type === "failed" && id === null) breakDown(data.code, data.message, data.name ?? TEXT);
    else if (type === "failed") settle(id, unavailable(data.code, data.message));
    else settle(id, { ...content, status: type, ms: settings.now() - (pending.get(id)?.began ?? 0) });
  }

  function settle(id, answer) {
    const job = pending.get(id);
    if (!job) return;
    pending.delete(id);
    clearTimeout(job.timer);
    job.release();
    job.resolve(answer);
  }

  /**
   * Everyone waiting for the model gets the reason; a later call may try again. The worker is ended unless another
   * model or a photo still needs it; without a model it is the worker itself that is of no more use.
   */
  function breakDown(code, detail, model = ANY) {
    const answer = unavailable(code, detail);
    failures.set(model, { answer, at: settings.now() });
    loading.get(model)?.settle?.(answer);
    loading.delete(model);
    const isNeeded = loading.size > 0 || [...pending.values()].some((job) => job.model !== model);
    if (model === ANY || !isNeeded) stop(answer);
    else for (const [id, job] of [...pending]) if (job.model === model) settle(id, answer);
    return answer;
  }

  function stop(answer = { status: "superseded" }) {
    clearTimeout(idleTimer);
    worker?.terminate();
    worker = null;
    const waiting = [...loading.values()];
    loading.clear();
    for (const { settle: tell } of waiting) tell?.(answer);
    for (const id of [...pending.keys()]) settle(id, answer);
  }

  // WASM memory never shrinks, so an idle worker is ended; bytes and code are cached for the next one.
  function rest() {
    clearTimeout(idleTimer);
    if (!worker) return;
    idleTimer = setTimeout(() => {
      if (pending.size > 0 || [...loading.values()].some((entry) => entry.settle)) return rest();
      return stop();
    }, settings.idleMs);
    idleTimer.unref?.(); // under Node: a waiting timer must not keep the process
  }

  return {
    load,
    renewed,
    check: (fields, options) => ask({ type: "check", fields }, TEXT, options),
    checkPhoto: (blob, options) => ask({ type: "check-photo", blob }, PHOTO, options),
    embedQuery: (text, options) => ask({ type: "embed-query", text }, QUERY, options),
    /** @param {Array<{kind: string, vector: Int8Array, age: number}>} events oldest first; age in days */
    interests: (events, options) => ask({ type: "interests", events }, USER, options),
    prepare: (file, longest, options) => ask({ type: "prepare-photo", file, longest }, null, options),
    stop: () => stop(),
    /** Forget earlier failures, for example when the connection is back. */
    retry: () => failures.clear(),
    get running() {
      return worker !== null;
    },
  };
}

/** What tells one state of a model in the list from another; null for none. */
function namesOf(entry) {
  return entry?.version ? `${entry.version} ${entry.sha256 ?? ""} ${entry.release?.number ?? ""}` : null;
}

const WITHOUT_RELEASE = "without its release";
const ANY = ""; // not one model but the worker

function unavailable(code, detail) {
  const reason = REASONS[code] ?? REASONS.run;
  return { status: "unavailable", code: code in REASONS ? code : "run", reason, detail: String(detail ?? "") };
}
