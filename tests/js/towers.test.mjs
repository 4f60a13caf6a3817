import assert from "node:assert/strict";
import { test } from "node:test";
import { embedQuery, interestsOf } from "../../static/js/ml/towers.js";
import { quantize } from "../../static/js/ml/vectors.js";

const axis = (at) => Float32Array.from({ length: 128 }, (_, index) => (index === at ? 1 : 0));

test("a search reaches the tower as UTF-8, cut between characters", async () => {
  const seen = [];
  const run = async (bytes) => {
    seen.push(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return axis(3);
  };
  const vector = await embedQuery("café crème", { window_bytes: 64 }, run);
  assert.deepEqual(vector, quantize(axis(3)));
  await embedQuery("aé", { window_bytes: 2 }, run);
  assert.deepEqual(seen, ["café crème", "a"]);
});

test("words that mean nothing to the tower, and no words, have no vector", async () => {
  assert.equal(await embedQuery("zzz", { window_bytes: 64 }, async () => new Float32Array(128)), null);
  assert.equal(await embedQuery("", { window_bytes: 64 }, assert.fail), null);
});

test("the user tower gets the newest events, oldest first, with kinds and ages", async () => {
  const events = ["view", "search", "dismissal", "favourite"].map((kind, at) => ({ kind, vector: quantize(axis(at)), age: 4 - at }));
  events.splice(1, 0, { kind: "view", vector: null, age: 3.5 });
  let given = null;
  const run = async (vectors, kinds, ages) => {
    given = { length: vectors.length, first: vectors[1], kinds: [...kinds], ages: [...ages] };
    return Float32Array.from([...axis(7), ...axis(8)]);
  };
  const interests = await interestsOf(events, { events: 3 }, run);
  assert.deepEqual(given, { length: 384, first: 1, kinds: [0n, 4n, 2n], ages: [3, 2, 1] });
  assert.deepEqual(interests, [axis(7), axis(8)]);
});

test("without events nothing is run; interests that are no numbers are left out", async () => {
  assert.deepEqual(await interestsOf([{ kind: "search", vector: null, age: 0 }], { events: 3 }, assert.fail), []);
  const broken = async () => Float32Array.from([...new Float32Array(128).fill(NaN), ...axis(1), ...new Float32Array(128)]);
  assert.deepEqual(await interestsOf([{ kind: "view", vector: quantize(axis(0)), age: 0 }], { events: 3 }, broken), [axis(1)]);
});
