import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at, curve, sums } from "../../static/js/thresholds.js";

const { cases } = JSON.parse(readFileSync(new URL("../golden/thresholds.json", import.meta.url), "utf-8"));

test("a threshold comes to what was reckoned by hand, as on the server", () => {
  assert.ok(cases.length > 3);
  for (const { rows, threshold, days, expected } of cases) assert.deepEqual(at(rows, threshold, days), expected);
});

test("the curve is the same reckoning at a hundred thresholds", () => {
  const { rows, days } = cases[0];
  const [thresholds, precision, recall] = curve(rows, days);
  assert.equal(thresholds.length, 100);
  assert.deepEqual([thresholds[0], thresholds[26], thresholds[99]], [0.01, 0.27, 1]);
  assert.deepEqual([precision[26], recall[26]], [0.875, 0.7]);
  assert.equal(precision[99], null, "nothing is held");
});

test("what there is in all does not depend on the threshold", () => {
  assert.deepEqual(sums(cases[0].rows), { revisions: 106, violations: 10, unknown: 11 });
  assert.deepEqual(sums([]), { revisions: 0, violations: 0, unknown: 0 });
});
