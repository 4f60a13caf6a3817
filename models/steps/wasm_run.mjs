// Runs a model over inputs in onnxruntime-web's WASM: {model, feeds, outputs} on stdin, answers on stdout.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";

const { model, feeds, outputs } = JSON.parse(readFileSync(0, "utf8"));
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(readFileSync(model), { executionProviders: ["wasm"] });
const base64 = (tensor) => Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength).toString("base64");
const ARRAYS = { uint8: Uint8Array, float32: Float32Array, int64: BigInt64Array };
const tensor = ({ type, dims, data }) =>
  new ort.Tensor(type, new ARRAYS[type](Uint8Array.from(Buffer.from(data, "base64")).buffer), dims);

const answers = [];
for (const feed of feeds) {
  const found = await session.run(Object.fromEntries(Object.entries(feed).map(([name, each]) => [name, tensor(each)])));
  answers.push(Object.fromEntries(outputs.map((name) => [name, base64(found[name])])));
}
process.stdout.write(JSON.stringify(answers));
