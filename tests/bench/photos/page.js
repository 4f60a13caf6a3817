/**
 * listing-photo and nsfwjs. The bench calls globalThis.photos.
 *
 * A contender answers check(blob) with {ms, scores}: from the file to the verdict, as the page feels it; decoding is
 * part of it. Ours runs in its worker as on the sell page; nsfwjs on the page, as its README shows.
 */

// The long tasks of this page, from its first script on.
const longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ startTime, duration }) => ({ startTime, duration })))).observe({
  type: "longtask",
  buffered: true,
});

const open = {
  async "listing-photo"() {
    const runtime = document.createElement("link"); // as the sell page asks for it at the first touch
    runtime.rel = "prefetch";
    runtime.href = "/static/ort/ort-wasm-simd-threaded.wasm";
    document.head.append(runtime);
    const { createClient } = await import("/static/js/ml/client.js");
    const client = createClient({
      workerUrl: "/static/js/ml/worker.js",
      workerImports: document.documentElement.dataset.workerImports.split(" ").filter(Boolean),
      manifestUrl: "/api/models/manifest",
    });
    return async (blob) => {
      const answer = await client.checkPhoto(blob);
      if (answer.status !== "verdict") throw new Error(JSON.stringify(answer));
      return { scores: Object.values(answer.verdict.scores), timing: answer.timing, activation: answer.activation };
    };
  },

  /** Weights as its package brings them; the photo as an image element, in full size. */
  async nsfwjs() {
    const [{ load }] = await Promise.all([startTensorFlow(), script("/nsfwjs/packed/model.js"), script("/nsfwjs/packed/group1-shard1of1.js")]);
    const packed = { name: "MobileNetV2", numOfWeightBundles: 1, weightBundles: [] }; // its scripts have left both on the page
    const model = await load("MobileNetV2", { modelDefinitions: [packed] });
    return async (blob) => {
      const image = new Image();
      image.src = URL.createObjectURL(blob);
      await image.decode();
      const found = await model.classify(image);
      URL.revokeObjectURL(image.src);
      return { scores: found.map(({ probability }) => probability) };
    };
  },

  /** Weights as a file; the browser makes the photo 224 pixels, so that nsfwjs has nothing to resize. */
  async "nsfwjs-tuned"() {
    const { load } = await startTensorFlow();
    const model = await load("/nsfwjs/hosted/model.json");
    return async (blob) => {
      const bitmap = await createImageBitmap(blob, { resizeWidth: 224, resizeHeight: 224, resizeQuality: "medium" });
      const found = await model.classify(bitmap);
      bitmap.close();
      return { scores: found.map(({ probability }) => probability) };
    };
  },
};

let starting = null;

/** TensorFlow.js with its WASM backend (SIMD, one thread) and nsfwjs; once for both. */
function startTensorFlow() {
  starting ??= (async () => {
    preload("/nsfwjs/core.js"); // it wants TensorFlow.js as soon as it runs
    await Promise.all(["core", "layers", "converter", "backend-wasm"].map((part) => script(`/tfjs/${part}.js`)));
    // The methods of tensors come with the package of everything, twice as large; nsfwjs uses three of them.
    tf.Tensor.prototype.toFloat = function toFloat() { return tf.cast(this, "float32"); };
    tf.Tensor.prototype.div = function div(other) { return tf.div(this, other); };
    tf.Tensor.prototype.reshape = function reshape(shape) { return tf.reshape(this, shape); };
    tf.wasm.setWasmPaths("/tfjs/");
    if (!(await tf.setBackend("wasm"))) throw new Error("TensorFlow.js did not start its WASM backend.");
    return import("/nsfwjs/core.js");
  })();
  return starting;
}

/** A classic script; several are fetched side by side and run in order. */
function script(address) {
  const element = document.createElement("script");
  element.async = false;
  element.src = address;
  const loaded = new Promise((resolve, reject) => {
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${address} could not be loaded.`));
  });
  document.head.append(element);
  return loaded;
}

function preload(address) {
  const link = document.createElement("link");
  link.rel = "modulepreload";
  link.href = address;
  document.head.append(link);
}

/** The photos that the bench has chosen, as a merchant chooses them. */
const chosen = () => [...document.getElementById("chosen").files];

globalThis.photos = {
  /** Milliseconds from the beginning of the page's load to the verdict on the first photo. */
  async first(name) {
    const check = await open[name]();
    const { scores } = await check(chosen()[0]);
    return { ms: performance.now(), scores };
  },

  /**
   * Each photo to each contender in turn, `rounds` times.
   * @returns {Promise<Array<Object<string, {ms: number, scores: number[]}>>>}
   */
  async turns(names, rounds) {
    const contenders = {};
    for (const name of names) contenders[name] = await open[name]();
    const found = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const blob of chosen()) {
        const turn = {};
        for (const name of names) {
          const began = performance.now();
          const { scores, timing } = await contenders[name](blob);
          turn[name] = { ms: performance.now() - began, scores, timing };
        }
        found.push(turn);
      }
    }
    return found;
  },

  /** Long tasks while one contender opens and judges the photos, and the activations it made. */
  async alone(name) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const began = performance.now();
    const check = await open[name]();
    const loaded = performance.now();
    const activations = [];
    const scores = [];
    for (const blob of chosen()) {
      const answer = await check(blob);
      scores.push(answer.scores);
      if (answer.activation) activations.push(Array.from(answer.activation));
    }
    await new Promise((resolve) => setTimeout(resolve, 300)); // a long task is reported after its end
    const since = (from, to) => longTasks.filter(({ startTime }) => startTime >= from && startTime < to).length;
    return { whileOpening: since(began, loaded), whileJudging: since(loaded, Infinity), scores, activations };
  },
};
