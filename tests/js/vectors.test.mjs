import assert from "node:assert/strict";
import { test } from "node:test";
import { cosine, DIMENSIONS, fromBase64, quantize, toBase64, toUnit, withNoise } from "../../static/js/ml/vectors.js";

/** The same numbers at every run. */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}
const some = (seed) => {
  const next = numbers(seed);
  return Float32Array.from({ length: DIMENSIONS }, () => next() - 0.5);
};

test("bytes survive the way over the wire, negative ones too", () => {
  const vector = quantize(some(1));
  assert.deepEqual(fromBase64(toBase64(vector)), vector);
  assert.ok(vector.some((value) => value < 0));
});

test("what is no vector is null", () => {
  for (const text of [null, 5, "", "AAAA", "***", toBase64(new Int8Array(128)), btoa("x".repeat(127)), btoa("x".repeat(129))]) assert.equal(fromBase64(text), null);
  assert.equal(quantize(new Float32Array(128)), null);
  assert.equal(quantize(Float32Array.from({ length: 128 }, () => NaN)), null);
  assert.equal(quantize(new Float32Array(64).fill(1)), null);
});

test("a byte each costs next to nothing: round(127 x) of the unit vector", () => {
  const floats = some(2);
  assert.ok(cosine(quantize(floats), floats) > 0.999);
  const long = quantize(Float32Array.from({ length: 128 }, (_, at) => (at === 5 ? 40 : 0)));
  assert.equal(long[5], 127);
});

test("noise turns a vector by as much as was asked for", () => {
  const vector = toUnit(some(3));
  const turned = (amount) => cosine(quantize(withNoise(vector, amount, numbers(7))), vector);
  assert.ok(turned(0.5) > 0.8 && turned(0.5) < 0.97); // 1 / sqrt(1 + 0.25) = 0.89
  assert.ok(turned(1) > 0.55 && turned(1) < 0.85); // 0.71
});
