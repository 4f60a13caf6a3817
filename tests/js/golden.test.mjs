// The golden vectors through the browser's side: contract.js and onnxruntime-web's WASM. tests/models/test_golden.py
// holds Python to the same file.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as ort from "onnxruntime-web";
import { withPatch } from "../../static/js/ml/patch.js";
import { combine, digest, pack, spans, windows } from "../../static/js/ml/contract.js";

const here = (path) => new URL(`../../${path}`, import.meta.url);
const golden = JSON.parse(readFileSync(here("tests/golden/listing_text.json"), "utf8"));
const entry = JSON.parse(readFileSync(here("models/published/manifest.json"), "utf8")).models["listing-text"];
const about = entry.variants[entry.published.device];
const model = readFileSync(here(`models/published/${about.file}`));
const points = entry.operating_points;

const textOf = (text) => (typeof text === "string" ? text : text.repeat.repeat(text.times));

ort.env.wasm.numThreads = 1;
const plain = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
const patched = await ort.InferenceSession.create(await withPatch(model, Buffer.from(golden.patch, "base64"), golden), { executionProviders: ["wasm"] });

async function check(fields, session) {
  const packed = pack(fields);
  const evidence = new Float32Array(packed.data.length * entry.labels.length);
  const results = [];
  for (const [begin, end] of windows(packed, entry.window_bytes)) {
    const window = packed.data.slice(begin, end);
    const found = await session.run({ bytes: new ort.Tensor("uint8", window, [window.length]) });
    const scores = Object.fromEntries(entry.labels.map((label, index) => [label, found.scores.data[index]]));
    results.push([scores, found.coverage.data[0]]);
    evidence.set(found.evidence.data, begin * entry.labels.length);
  }
  const verdict = combine(results, points);
  const marks = spans(packed, evidence, entry.labels, verdict.policy, points.evidence_floor);
  return { packed, digest: await digest(packed), spans: marks, ...verdict };
}

const near = (a, b, what) => assert.ok(Math.abs(a - b) <= golden.tolerance, `${what}: ${a} against ${b}`);

test("the published device file is the one the manifest names", () => {
  assert.equal(createHash("sha256").update(model).digest("hex"), about.sha256);
});

test("the golden file belongs to the published version and holds enough cases", () => {
  assert.equal(golden.version, entry.version);
  assert.ok(golden.cases.length >= 60);
});

for (const { name, fields, expected, patched: isPatched } of golden.cases) {
  test(`golden: ${name}`, async () => {
    const found = await check(fields.map(([field, text]) => [field, textOf(text)]), isPatched ? patched : plain);
    assert.equal(found.packed.data.length, expected.packed_bytes);
    assert.equal(found.digest, expected.digest);
    assert.deepEqual([found.decision, found.policy], [expected.decision, expected.policy]);
    near(found.coverage, expected.coverage, "coverage");
    for (const [label, score] of Object.entries(expected.scores)) near(found.scores[label], score, label);
    const place = ({ field, start, end }) => ({ field, start, end });
    assert.deepEqual(found.spans.map(place), expected.spans.map(place));
    expected.spans.forEach((span, index) => near(found.spans[index].weight, span.weight, "weight"));
  });
}
