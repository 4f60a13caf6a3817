/**
 * The one seam to onnxruntime-web: nothing else knows where it was vendored or how it is set up.
 * WASM build only (three files); one thread unless the page is cross-origin isolated.
 */
import * as ort from "../../ort/ort.wasm.min.mjs";

// y = Identity(x) on one float, opset 18. Opening it compiles the runtime while the real model is still on its way.
const TINY_MODEL = "CAgSADo6ChAKAXgSAXkiCElkZW50aXR5EgR0aW55Wg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQEg==";
const MAX_THREADS = 4;

export const provider = "wasm";

/**
 * Fetch and compile the runtime.
 * @param {{mjs: string, wasm: string}} urls from the manifest; content-hashed, so the file names are not ORT's own
 */
export async function startRuntime(urls) {
  const { wasm } = ort.env;
  wasm.wasmPaths = { mjs: absolute(urls.mjs), wasm: absolute(urls.wasm) };
  wasm.proxy = false;
  wasm.numThreads = threads();
  ort.env.logLevel = "error";
  const tiny = await openSession(Uint8Array.from(atob(TINY_MODEL), (char) => char.charCodeAt(0)));
  await tiny.release();
}

export function threads() {
  return globalThis.crossOriginIsolated ? Math.min(MAX_THREADS, navigator.hardwareConcurrency || 1) : 1;
}

/** @param {Uint8Array} bytes an ONNX file */
export function openSession(bytes) {
  return ort.InferenceSession.create(bytes, { executionProviders: [provider], graphOptimizationLevel: "all" });
}

/** @param {"uint8"|"float32"|"int64"} type */
export function tensor(type, data, shape) {
  return new ort.Tensor(type, data, shape);
}

function absolute(url) {
  return new URL(url, globalThis.location.href).href;
}
