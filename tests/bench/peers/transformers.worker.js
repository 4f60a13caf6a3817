/**
 * Transformers.js with MiniLM q8. Measured of a check is what its text-classification pipeline does: tokenizer, model,
 * scores read back. The pipeline itself cannot be used: it wants an output `logits` and takes the softmax, which our
 * model has taken already (`scores`).
 *
 * In: the text. Out: {ms, scores, pieces} or {error}.
 */
import { AutoModel, AutoTokenizer, env } from "/transformers/transformers.min.js";

const MODEL = "listing-text-cloud";
const RUNTIMES = {
  asyncify: "ort-wasm-simd-threaded.asyncify", // what Transformers.js loads by itself
  plain: "ort-wasm-simd-threaded", // what our own worker loads
};

env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = "/models/";
env.useWasmCache = false; // it would import the runtime from a blob:, which the site's security policy refuses
const file = new URL(`/transformers-ort/${RUNTIMES[globalThis.name]}`, globalThis.location.href).href;
env.backends.onnx.wasm.wasmPaths = { mjs: `${file}.mjs`, wasm: `${file}.wasm` };
env.backends.onnx.wasm.numThreads = 1;

const loading = Promise.all([
  AutoTokenizer.from_pretrained(MODEL),
  AutoModel.from_pretrained(MODEL, { dtype: "q8", device: "wasm" }),
]);
loading.catch(() => {}); // told to whoever asks for a check

addEventListener("message", async ({ data: text }) => {
  try {
    const [tokenizer, model] = await loading;
    const began = performance.now();
    const { input_ids, attention_mask } = tokenizer(text, { padding: true, truncation: true });
    const outputs = await model({ input_ids, attention_mask });
    const scores = Array.from(outputs.scores.data);
    const ms = performance.now() - began;
    postMessage({ ms, scores, pieces: input_ids.dims[1] });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
});
