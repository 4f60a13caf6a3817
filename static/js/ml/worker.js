/**
 * The module worker that runs the models. It never sees the page; it keeps no text and no photo after its answer.
 * One queue for every model: text goes first. Photos are made smaller beside it, one at a time, which needs no model.
 *
 * In:  {type: "load", name, manifestUrl}            fetch manifest, runtime and that model, open its session
 *      {type: "renew", name, manifestUrl}           load that model anew: the list of models says something else of it now
 *      {type: "check", id, fields}                  fields: [[name, text], …]; a newer check replaces a waiting one
 *      {type: "prepare-photo", id, file, longest}   make a photo ready for sending
 *      {type: "check-photo", id, blob}              blob: the very file that will be sent
 *      {type: "embed-query", id, text}              a search's words
 *      {type: "interests", id, events}              events: [{kind, vector: Int8Array, age (days)}], oldest first
 *      {type: "cancel", id}                         no answer wanted any more
 * Out: {type: "ready", model, ms, resources}        model: {name, version, release, variant, policies_version, space}; problem: why it works without the release that counts; resources: URLs this worker loaded
 *      {type: "verdict", id, verdict, activation, timing}   a Verdict (design section 5); the last two of photos only
 *      {type: "prepared", id, blob, width, height, sha256}
 *      {type: "vector", id, vector, space, workerMs} Int8Array, or null for words that mean nothing to the tower
 *      {type: "interests", id, interests, space}    Float32Arrays of length 1
 *      {type: "dropped", id}                        replaced by a newer check, or cancelled
 *      {type: "failed", id, name, code, message}    id null when loading the model `name` failed; message is plain English
 */
import { checkText, StaleError, versionOf } from "./check.js";
import { fetchManifest } from "./manifest.js";
import { checkPhoto } from "./photo_check.js";
import { prepare, read } from "./photo_pixels.js";
import { createQueue } from "./queue.js";
import { dropOldModels, forget, releasedSession } from "./sessions.js";
import { embedQuery, interestsOf } from "./towers.js";

const TEXT = "listing-text";
const PHOTO = "listing-photo";
const QUERY = "query-tower";
const USER = "user-tower";
const RUNS = { [TEXT]: runText, [PHOTO]: runPhoto, [QUERY]: runQuery, [USER]: runUser };
const MODEL_OF = { "check-photo": PHOTO, "embed-query": QUERY, interests: USER };
const GIVEN_BACK_AFTER_MS = 10_000; // a check may still run on it; the page waits no longer for one
const loads = new Map(); // name → promise of {model, run, provider}
let common = null; // promise of {manifest, starting}: fetched and started once, whichever model comes first
let preparing = Promise.resolve();
const cancelled = new Set();

const queue = createQueue(runJob, dropped);

addEventListener("message", ({ data }) => {
  if (data.type === "load") void announce(data.name ?? TEXT, data.manifestUrl);
  if (data.type === "renew") renew(data.name ?? TEXT, data.manifestUrl);
  if (data.type === "check") queue.push(data);
  if (data.type in MODEL_OF) queue.append(data);
  if (data.type === "prepare-photo") preparing = preparing.then(() => preparePhoto(data));
  if (data.type === "cancel") {
    cancelled.add(data.id);
    queue.cancel(data.id);
  }
});

function dropped(job) {
  postMessage({ type: "dropped", id: job.id });
}

async function announce(name, manifestUrl) {
  const began = performance.now();
  if (!loads.has(name)) loads.set(name, load(name, manifestUrl));
  try {
    const { model, release, problem } = await loads.get(name);
    const { variant, policies_version, space, sha256 } = model;
    postMessage({
      type: "ready",
      model: { name, version: versionOf(model.version, release), release: model.release?.number ?? null, variant, policies_version, space, sha256 },
      problem,
      ms: Math.round(performance.now() - began),
      resources: performance.getEntriesByType("resource").map((entry) => entry.name),
    });
  } catch (error) {
    loads.delete(name);
    fail(null, error, name);
  }
}

async function load(name, manifestUrl) {
  common ??= begin(manifestUrl);
  common.catch(() => (common = null));
  const { manifest, starting } = await common;
  const model = manifest.models[name];
  if (!model) throw Object.assign(new Error(`The list of models has no ${name}.`), { code: "manifest" });
  // Runtime and model travel side by side; opening the session needs both.
  starting.catch(() => (common = null));
  const { session: opened, release, points, problem } = await releasedSession(model, async (bytes) => (await starting).openSession(bytes));
  const runtime = await starting;
  dropOldModels(manifest).catch(() => {});
  const run = RUNS[name];
  return { model: { ...model, operating_points: points }, release, problem, opened, run: (...input) => run(runtime, opened, ...input), provider: runtime.provider };
}

/** The runtime stays; the list is fetched and this model's session made anew. Where that fails one goes on as before. */
function renew(name, manifestUrl) {
  const before = loads.get(name);
  if (common) {
    const kept = common;
    common = fetchManifest(manifestUrl).then(async (manifest) => ({ manifest, starting: (await kept).starting }));
    common.catch(() => (common = null));
  }
  loads.set(name, before ? load(name, manifestUrl).catch(() => before) : load(name, manifestUrl));
  loads.get(name).catch(() => loads.delete(name));
  before?.then(({ opened }) => setTimeout(() => giveBack(name, opened), GIVEN_BACK_AFTER_MS)).catch(() => {});
}

/** WASM memory never shrinks: a session that nobody needs makes room for the next one. */
async function giveBack(name, opened) {
  const now = await loads.get(name)?.catch(() => null);
  if (now?.opened === opened) return;
  forget(opened);
  await opened.release().catch(() => {});
}

async function begin(manifestUrl) {
  const manifest = await fetchManifest(manifestUrl);
  return { manifest, starting: startRuntime(manifest.runtime) };
}

// Imported on demand: a browser without WASM can then still say what is missing.
async function startRuntime(urls) {
  if (typeof WebAssembly !== "object") {
    throw Object.assign(new Error("This browser has no WebAssembly."), { code: "runtime" });
  }
  try {
    const runtime = await import("./ort.js");
    await runtime.startRuntime(urls);
    return runtime;
  } catch (error) {
    throw Object.assign(new Error(`The runtime did not start: ${error.message}`), { code: "runtime" });
  }
}

async function runText(runtime, opened, bytes) {
  const input = runtime.tensor("uint8", bytes, [bytes.length]);
  const outputs = await opened.run({ [opened.inputNames[0]]: input });
  return {
    scores: outputs.scores.data,
    coverage: Number(outputs.coverage.data[0]),
    evidence: outputs.evidence.data,
  };
}

async function runPhoto(runtime, opened, rgb, height, width) {
  const input = runtime.tensor("uint8", rgb, [height, width, 3]);
  const { scores, heat, activation } = await opened.run({ [opened.inputNames[0]]: input });
  return { scores: scores.data, heat: heat.data, activation: activation.data };
}

async function runQuery(runtime, opened, bytes) {
  const input = runtime.tensor("uint8", bytes, [bytes.length]);
  const { vector } = await opened.run({ bytes: input });
  return vector.data;
}

async function runUser(runtime, opened, vectors, kinds, ages) {
  const count = ages.length;
  const { interests } = await opened.run({
    vectors: runtime.tensor("float32", vectors, [count, vectors.length / count]),
    kinds: runtime.tensor("int64", kinds, [count]),
    ages: runtime.tensor("float32", ages, [count]),
  });
  return interests.data;
}

async function runJob(job, isStale) {
  try {
    const loading = loads.get(MODEL_OF[job.type] ?? TEXT);
    if (!loading) throw Object.assign(new Error("No model is loaded."), { code: "not-loaded" });
    const { model, run, provider, release } = await loading;
    if (isStale()) throw new StaleError();
    if (job.type === "check-photo") {
      const bytes = new Uint8Array(await job.blob.arrayBuffer());
      postMessage({ type: "verdict", id: job.id, ...(await checkPhoto(bytes, model, read, run, { name: PHOTO, provider })) });
    } else if (job.type === "embed-query") {
      const began = performance.now();
      const vector = await embedQuery(job.text, model, run);
      postMessage({ type: "vector", id: job.id, vector, space: model.space, workerMs: performance.now() - began });
    } else if (job.type === "interests") {
      postMessage({ type: "interests", id: job.id, interests: await interestsOf(job.events, model, run), space: model.space });
    } else {
      const verdict = await checkText(job.fields, model, run, { name: TEXT, provider, release, isStale });
      postMessage({ type: "verdict", id: job.id, verdict });
    }
  } catch (error) {
    if (error instanceof StaleError) dropped(job);
    else fail(job.id, error);
  }
}

async function preparePhoto({ id, file, longest }) {
  if (cancelled.delete(id)) return;
  try {
    postMessage({ type: "prepared", id, ...(await prepare(file, longest)) });
  } catch (error) {
    fail(id, error);
  }
}

function fail(id, error, name) {
  postMessage({ type: "failed", id, name, code: error.code ?? "run", message: String(error.message ?? error) });
}
