// The golden photos through the browser's side: onnxruntime-web's WASM and decide(). tests/models/test_golden_photo.py
// holds Python to the same file.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import * as ort from "onnxruntime-web";
import { decide } from "../../static/js/ml/contract.js";

const here = (path) => new URL(`../../${path}`, import.meta.url);
const golden = JSON.parse(readFileSync(here("tests/golden/listing_photo.json"), "utf8"));
const entry = JSON.parse(readFileSync(here("models/published/manifest.json"), "utf8")).models["listing-photo"];
const about = entry.variants[entry.published.device];
const model = readFileSync(here(`models/published/${about.file}`));

ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });

test("the published device file is the one the manifest names, and the golden file is of its version", () => {
  assert.equal(createHash("sha256").update(model).digest("hex"), about.sha256);
  assert.equal(golden.version, entry.version);
  assert.ok(golden.cases.length >= 20);
});

for (const { name, shape, rgb_zlib: packed, expected } of golden.cases) {
  test(`golden photo: ${name}`, async () => {
    const rgb = new Uint8Array(inflateSync(Buffer.from(packed, "base64")));
    const found = await session.run({ rgb: new ort.Tensor("uint8", rgb, shape) });
    const scores = Object.fromEntries(entry.labels.map((label, index) => [label, found.scores.data[index]]));
    assert.deepEqual(decide(scores, 1, entry.operating_points), [expected.decision, expected.policy]);
    for (const [label, score] of Object.entries(expected.scores)) {
      assert.ok(Math.abs(scores[label] - score) <= golden.tolerance, `${label}: ${scores[label]} against ${score}`);
    }
    const sum = found.activation.data.reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(sum - expected.activation_sum) <= expected.activation_sum * 1e-3);
  });
}
