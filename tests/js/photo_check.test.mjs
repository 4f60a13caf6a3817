// checkPhoto() with a decoder and a model that answer as told.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { checkPhoto, withoutAlpha } from "../../static/js/ml/photo_check.js";

const FILE = new TextEncoder().encode("the very bytes that are sent");
const DIGEST = createHash("sha256").update(FILE).digest("hex");
const MODEL = {
  version: "3",
  policies_version: "2026.11.2",
  variant: "int8",
  labels: ["drugs", "tobacco_alcohol", "weapons", "safe"],
  longest_side: 256,
  outputs: { heat: { shape: [1, 2, 4] } },
  operating_points: { policies: ["drugs", "tobacco_alcohol", "weapons"], unsure: 0.3, warn: 0.6, block: 0.95, per_policy: {}, coverage: 0 },
};
const PIXELS = { data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 255), width: 2, height: 1 };
// Two places; the second speaks for weapons (3 - -1 = 4 in logits), the first against.
const HEAT = Float32Array.of(0, 0, -2, 2, 0, 0, 3, -1);
const ACTIVATION = Uint8Array.of(9, 8, 7);

function check(scores, seen = {}) {
  const read = async (bytes, longest) => ((seen.longest = longest), (seen.bytes = bytes), PIXELS);
  const run = async (rgb, height, width) => {
    Object.assign(seen, { rgb, height, width });
    return { scores: Float32Array.from(scores), heat: HEAT, activation: ACTIVATION };
  };
  let time = 0;
  return checkPhoto(FILE, MODEL, read, run, { name: "listing-photo", provider: "wasm", now: () => (time += 2.5) });
}

test("a verdict has every field of the contract, and its digest is that of the file", async () => {
  const { verdict } = await check([0.05, 0.05, 0.1, 0.8]);
  assert.deepEqual(Object.keys(verdict).sort(), [
    "decision", "digest", "evidence", "model", "ms", "policies_version", "policy", "provider", "scores", "variant", "version", "where",
  ]); // prettier-ignore
  assert.equal(verdict.digest, DIGEST);
  assert.deepEqual([verdict.where, verdict.decision, verdict.policy, verdict.evidence], ["device", "pass", "", []]);
  assert.deepEqual(Object.keys(verdict.scores), MODEL.labels);
});

test("the model sees RGB of at most the side it asks for", async () => {
  const seen = {};
  await check([0, 0, 0, 1], seen);
  assert.equal(seen.longest, 256);
  assert.deepEqual(seen.bytes, FILE);
  assert.deepEqual([[...seen.rgb], seen.height, seen.width], [[1, 2, 3, 4, 5, 6], 1, 2]);
});

test("a warning carries the map of the whole photo, in percent of the hottest place", async () => {
  const { verdict, activation } = await check([0, 0.1, 0.7, 0.2]);
  assert.deepEqual([verdict.decision, verdict.policy], ["warn", "weapons"]);
  assert.deepEqual(verdict.evidence, [{ photo: DIGEST, rows: 1, columns: 2, heat: [0, 100], box: [0, 0, 1, 1] }]);
  assert.equal(activation, ACTIVATION);
});

test("the steps of the decision are those of the operating points", async () => {
  const decided = async (unsafe) => (await check([0, 0, unsafe, 1 - unsafe])).verdict.decision;
  assert.deepEqual([await decided(0.2), await decided(0.4), await decided(0.7), await decided(0.97)], ["pass", "unsure", "warn", "block"]);
});

test("decoding and running are timed apart", async () => {
  const { verdict, timing } = await check([0, 0, 0, 1]);
  assert.deepEqual([verdict.ms, timing], [5, { decode: 2.5, run: 2.5 }]);
});

test("alpha is left out and nothing else", () => {
  assert.deepEqual([...withoutAlpha(Uint8ClampedArray.of(255, 0, 7, 9))], [255, 0, 7]);
  assert.equal(withoutAlpha(new Uint8ClampedArray(0)).length, 0);
});
