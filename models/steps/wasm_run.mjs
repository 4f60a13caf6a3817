// Runs a model over windows of bytes in onnxruntime-web's WASM: {model, windows} on stdin, answers on stdout.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";

const { model, windows } = JSON.parse(readFileSync(0, "utf8"));
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(readFileSync(model), { executionProviders: ["wasm"] });
const base64 = (tensor) => Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength).toString("base64");

const answers = [];
for (const window of windows) {
  const data = new Uint8Array(Buffer.from(window, "base64"));
  const found = await session.run({ bytes: new ort.Tensor("uint8", data, [data.length]) });
  answers.push(Object.fromEntries(["scores", "evidence", "coverage"].map((name) => [name, base64(found[name])])));
}
process.stdout.write(JSON.stringify(answers));
