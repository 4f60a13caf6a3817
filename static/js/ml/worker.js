/**
 * The module worker that runs the models. It never sees the page; it keeps no text after its answer.
 *
 * In:  {type: "load", manifestUrl}            fetch manifest, runtime and model, open the session
 *      {type: "check", id, fields}            fields: [[name, text], …]; a newer check replaces a waiting one
 *      {type: "cancel", id}                   no answer wanted any more
 * Out: {type: "ready", model, ms, resources}  model: {name, version, variant}; resources: URLs this worker loaded
 *      {type: "verdict", id, verdict}         a Verdict (design section 5)
 *      {type: "dropped", id}                  replaced by a newer check, or cancelled
 *      {type: "failed", id, code, message}    id null when loading failed; message is plain English
 */
import { checkText, StaleError } from "./check.js";
import { fetchManifest } from "./manifest.js";
import { createQueue } from "./queue.js";
import { dropOldModels, session } from "./sessions.js";

const NAME = "listing-text";
let loading = null; // promise of {model, run, provider}

const queue = createQueue(runJob, (job) => postMessage({ type: "dropped", id: job.id }));

addEventListener("message", ({ data }) => {
  if (data.type === "load") void announce(data.manifestUrl);
  if (data.type === "check") queue.push(data);
  if (data.type === "cancel") queue.cancel(data.id);
});

async function announce(manifestUrl) {
  const began = performance.now();
  loading = load(manifestUrl);
  try {
    const { model } = await loading;
    postMessage({
      type: "ready",
      model: { name: NAME, version: model.version, variant: model.variant },
      ms: Math.round(performance.now() - began),
      resources: performance.getEntriesByType("resource").map((entry) => entry.name),
    });
  } catch (error) {
    loading = null;
    fail(null, error);
  }
}

async function load(manifestUrl) {
  const manifest = await fetchManifest(manifestUrl);
  const model = manifest.models[NAME];
  if (!model) throw Object.assign(new Error("The list of models has no text model."), { code: "manifest" });
  // Runtime and model travel side by side; opening the session needs both.
  const starting = startRuntime(manifest.runtime);
  starting.catch(() => {});
  const opened = await session(model, async (bytes) => (await starting).openSession(bytes));
  const runtime = await starting;
  dropOldModels(manifest).catch(() => {});
  return { model, run: (bytes) => runModel(runtime, opened, model, bytes), provider: runtime.provider };
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

async function runModel(runtime, opened, model, bytes) {
  const input = runtime.tensor("uint8", bytes, [bytes.length]);
  const outputs = await opened.run({ [opened.inputNames[0]]: input });
  return {
    scores: outputs.scores.data,
    coverage: Number(outputs.coverage.data[0]),
    evidence: outputs.evidence.data,
  };
}

async function runJob(job, isStale) {
  try {
    if (!loading) throw Object.assign(new Error("No model is loaded."), { code: "not-loaded" });
    const { model, run, provider } = await loading;
    if (isStale()) throw new StaleError();
    const verdict = await checkText(job.fields, model, run, { name: NAME, provider, isStale });
    postMessage({ type: "verdict", id: job.id, verdict });
  } catch (error) {
    if (error instanceof StaleError) postMessage({ type: "dropped", id: job.id });
    else fail(job.id, error);
  }
}

function fail(id, error) {
  postMessage({ type: "failed", id, code: error.code ?? "run", message: String(error.message ?? error) });
}
