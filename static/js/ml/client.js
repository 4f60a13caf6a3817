/**
 * The page's end of the model worker; no DOM. Starts the worker when first asked, lets it go when idle, and always
 * answers: a device that cannot run the model is an answer too, never an exception.
 *
 * Answers of check():
 *   {status: "verdict", verdict, ms}          ms: as felt by the caller
 *   {status: "superseded"}                    a newer check took its place
 *   {status: "aborted"}                       the caller's AbortSignal fired
 *   {status: "unavailable", code, reason}     the device could not run; reason is plain English
 * Answers of load(): {status: "ready", model, ms, resources} or {status: "unavailable", code, reason}
 */

const IDLE_MS = 30_000;
const LOAD_TIMEOUT_MS = 60_000;
const CHECK_TIMEOUT_MS = 8_000;
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
};

/**
 * @param {{workerUrl: string, manifestUrl: string, spawn?: (url: string) => Worker, idleMs?: number,
 *   loadTimeoutMs?: number, checkTimeoutMs?: number, retryAfterMs?: number, now?: () => number}} options
 */
export function createClient(options) {
  const settings = {
    spawn: (url) => new Worker(url, { type: "module", name: "listing-check" }),
    idleMs: IDLE_MS,
    loadTimeoutMs: LOAD_TIMEOUT_MS,
    checkTimeoutMs: CHECK_TIMEOUT_MS,
    retryAfterMs: RETRY_AFTER_MS,
    now: () => performance.now(),
    ...options,
  };
  let worker = null;
  let loading = null; // promise of load()'s answer while a worker lives
  let failure = null; // {answer, at}: no new attempt before retryAfterMs, so that typing does not hammer a dead server
  let settleLoad = null;
  let idleTimer = null;
  let nextId = 1;
  const pending = new Map(); // id → {resolve, began, timer, release}

  function load() {
    if (loading) return loading;
    if (failure && settings.now() - failure.at < settings.retryAfterMs) return Promise.resolve(failure.answer);
    failure = null;
    loading = new Promise((resolve) => {
      const timer = setTimeout(() => breakDown("too-slow", "loading took too long"), settings.loadTimeoutMs);
      settleLoad = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
    });
    const promise = loading;
    try {
      const started = settings.spawn(settings.workerUrl);
      worker = started;
      // A worker that was let go may still have words in the post: only the current one is heard.
      const listen = (kind, hear) => started.addEventListener(kind, (event) => worker === started && hear(event));
      listen("message", ({ data }) => receive(data));
      listen("error", (event) => {
        event.preventDefault?.();
        breakDown("worker", event.message);
      });
      listen("messageerror", () => breakDown("worker", "unreadable message"));
      started.postMessage({ type: "load", manifestUrl: settings.manifestUrl });
    } catch (error) {
      breakDown("worker", String(error?.message ?? error));
    }
    rest();
    return promise;
  }

  async function check(fields, { signal } = {}) {
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
      pending.set(id, { resolve, began, timer: null, release: () => signal?.removeEventListener("abort", onAbort) });
    });
    const loaded = await Promise.race([load(), answer]);
    if (loaded.status === "unavailable") settle(id, loaded);
    const job = pending.get(id);
    if (job) {
      job.timer = setTimeout(() => breakDown("too-slow", "a check took too long"), settings.checkTimeoutMs);
      worker.postMessage({ type: "check", id, fields });
      rest();
    }
    return answer;
  }

  function receive(data) {
    rest();
    if (data.type === "ready") {
      settleLoad?.({ status: "ready", model: data.model, ms: data.ms, resources: data.resources });
      settleLoad = null;
    } else if (data.type === "verdict") {
      const job = pending.get(data.id);
      if (job) settle(data.id, { status: "verdict", verdict: data.verdict, ms: settings.now() - job.began });
    } else if (data.type === "dropped") {
      settle(data.id, { status: "superseded" });
    } else if (data.type === "failed") {
      if (data.id === null) breakDown(data.code, data.message);
      else settle(data.id, unavailable(data.code, data.message));
    }
  }

  function settle(id, answer) {
    const job = pending.get(id);
    if (!job) return;
    pending.delete(id);
    clearTimeout(job.timer);
    job.release();
    job.resolve(answer);
  }

  /** The worker is of no more use: everyone waiting gets the reason, a later call may start a new one. */
  function breakDown(code, detail) {
    const answer = unavailable(code, detail);
    failure = { answer, at: settings.now() };
    stop(answer);
  }

  function stop(answer = { status: "superseded" }) {
    clearTimeout(idleTimer);
    worker?.terminate();
    worker = null;
    loading = null;
    settleLoad?.(answer);
    settleLoad = null;
    for (const id of [...pending.keys()]) settle(id, answer);
  }

  // WASM memory never shrinks, so an idle worker is ended; bytes and code are cached for the next one.
  function rest() {
    clearTimeout(idleTimer);
    if (!worker) return;
    idleTimer = setTimeout(() => {
      if (pending.size > 0 || settleLoad) return rest();
      return stop();
    }, settings.idleMs);
    idleTimer.unref?.(); // under Node: a waiting timer must not keep the process
  }

  return {
    load,
    check,
    stop: () => stop(),
    /** Forget an earlier failure, for example when the connection is back. */
    retry: () => {
      failure = null;
    },
    get running() {
      return worker !== null;
    },
  };
}

function unavailable(code, detail) {
  const reason = REASONS[code] ?? REASONS.run;
  return { status: "unavailable", code: code in REASONS ? code : "run", reason, detail: String(detail ?? "") };
}
