// decide and combine on the same cases as tests/models/test_contract.py, and the cutting of windows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { combine, decide, pack, spans, windows } from "../../static/js/ml/contract.js";

const { points, decisions, windows: several } = JSON.parse(
  readFileSync(new URL("../golden/decisions.json", import.meta.url), "utf8"),
);

for (const { name, scores, coverage, expected } of decisions) {
  test(`decide: ${name}`, () => assert.deepEqual(decide(scores, coverage, points), expected));
}

for (const { name, results, expected } of several) {
  test(`combine: ${name}`, () => {
    const found = combine(results, points);
    for (const [key, value] of Object.entries(expected)) assert.equal(found[key], value);
  });
}

const texts = ["", "word ".repeat(3000), "x".repeat(10000), "é中🚲".repeat(2500), "a".repeat(2047)];
for (const text of texts) {
  test(`windows cover ${text.length} characters of ${JSON.stringify(text.slice(0, 5))} once, no character is cut`, () => {
    const packed = pack([["title", text]]);
    const ranges = windows(packed, 512);
    let at = 0;
    for (const [begin, end] of ranges) {
      assert.equal(begin, at);
      assert.ok(end > begin && end - begin <= 512);
      new TextDecoder("utf-8", { fatal: true }).decode(packed.data.slice(begin, end));
      at = end;
    }
    assert.equal(at, packed.data.length);
  });
}

test("spelled-out words are marked as one, but not across fields", () => {
  const packed = pack([["title", "x a n"], ["description", "a x"]]);
  const evidence = new Float32Array(packed.data.length * 2).map((_, index) => (index % 2 === 0 ? 1 : 0));
  const found = spans(packed, evidence, ["drugs", "safe"], "drugs", 0.5);
  assert.deepEqual(found.map(({ field, start, end }) => [field, start, end]), [["title", 0, 5], ["description", 0, 3]]);
});
