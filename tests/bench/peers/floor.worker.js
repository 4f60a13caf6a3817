/**
 * The least that a run can take: a graph of one step in our own runtime, set up as the site's worker sets it up.
 *
 * In: anything. Out: {ms, scores, pieces: null} or {error}.
 */
import { openSession, startRuntime, tensor } from "/static/js/ml/ort.js";

// y = Identity(x) on one float, opset 18.
const ONE_STEP = "CAgSADo6ChAKAXgSAXkiCElkZW50aXR5EgR0aW55Wg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQEg==";

const loading = begin();
loading.catch(() => {}); // told to whoever asks

async function begin() {
  const manifest = await (await fetch("/api/models/manifest")).json();
  await startRuntime(manifest.runtime);
  return openSession(Uint8Array.from(atob(ONE_STEP), (char) => char.charCodeAt(0)));
}

addEventListener("message", async () => {
  try {
    const session = await loading;
    const began = performance.now();
    const { y } = await session.run({ x: tensor("float32", Float32Array.of(1), [1]) });
    const scores = Array.from(y.data);
    postMessage({ ms: performance.now() - began, scores, pieces: null });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
});
