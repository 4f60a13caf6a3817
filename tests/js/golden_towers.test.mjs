// Golden queries and histories through the browser's side: onnxruntime-web's WASM. tests/models/test_golden_towers.py
// holds Python to the same files.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as ort from "onnxruntime-web";

const here = (path) => new URL(`../../${path}`, import.meta.url);
const { models } = JSON.parse(readFileSync(here("models/published/manifest.json"), "utf8"));
ort.env.wasm.numThreads = 1;

async function opened(name, file) {
  const golden = JSON.parse(readFileSync(here(`tests/golden/${file}`), "utf8"));
  const about = models[name].variants[models[name].published.device];
  const content = readFileSync(here(`models/published/${about.file}`));
  assert.equal(createHash("sha256").update(content).digest("hex"), about.sha256);
  assert.equal(golden.version, models[name].version);
  return { golden, session: await ort.InferenceSession.create(content, { executionProviders: ["wasm"] }) };
}

function near(found, expected, tolerance) {
  assert.equal(found.length, expected.length);
  found.forEach((value, at) => assert.ok(Math.abs(value - expected[at]) <= tolerance, `${at}: ${value}, ${expected[at]}`));
}

/** A query's bytes as `packed_query` makes them: cut between characters, never empty. */
function packed(text, most) {
  const bytes = new TextEncoder().encode(text).subarray(0, most);
  const whole = new TextEncoder().encode(new TextDecoder().decode(bytes, { stream: true }));
  return whole.length ? whole : new TextEncoder().encode(" ");
}

test("golden queries", async () => {
  const { golden, session } = await opened("query-tower", "query_tower.json");
  assert.ok(golden.cases.length >= 15);
  for (const { query, vector } of golden.cases) {
    const bytes = packed(query, models["query-tower"].window_bytes);
    const found = await session.run({ bytes: new ort.Tensor("uint8", bytes, [bytes.length]) });
    near([...found.vector.data], vector, golden.tolerance);
  }
});

test("golden histories", async () => {
  const { golden, session } = await opened("user-tower", "user_tower.json");
  assert.ok(golden.cases.length >= 4);
  for (const { vectors, kinds, ages, length, interests } of golden.cases) {
    const found = await session.run({
      vectors: new ort.Tensor("float32", Float32Array.from(vectors), [length, 128]),
      kinds: new ort.Tensor("int64", BigInt64Array.from(kinds, BigInt), [length]),
      ages: new ort.Tensor("float32", Float32Array.from(ages), [length]),
    });
    near([...found.interests.data], interests, golden.tolerance);
  }
});
