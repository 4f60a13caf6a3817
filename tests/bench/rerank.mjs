/**
 * What a click costs on the device: a full history and 200 candidates into a new order. Prints one JSON object:
 * {items, events, first_ms, p50_ms, p95_ms, dots_p50_ms}. dots: the plain dot products of the same vectors, which no
 * re-ranker could leave out; the ratio to it moves less with the machine than milliseconds do.
 */
import { createRanker, readHistory } from "../../static/js/ml/rerank.js";
import { quantize, toUnit } from "../../static/js/ml/vectors.js";
import { startWeights } from "../../static/js/ml/weights.js";

const [ITEMS, EVENTS, ROUNDS] = [200, 500, 300];
const COMPARED = 16 + 8 + 8 + 4; // liked, searches, dismissed, interests
const KINDS = ["search", "view", "view", "favourite", "dismissal"];
const now = Date.now();

const vector = () => quantize(Float32Array.from({ length: 128 }, () => Math.random() - 0.5));
const item = (number) => ({ id: `i${number}`, title: "A thing", seller: `s${number % 40}`, category: `c${number % 12}`, price: 1 + number, published_at: "2026-01-01T00:00:00Z", vector: vector() });
const items = Array.from({ length: ITEMS }, (_, number) => item(number));
const events = Array.from({ length: EVENTS }, (_, number) => {
  const kind = KINDS[number % KINDS.length];
  const about = kind === "search" ? { query: "a thing" } : { item: item(1000 + number) };
  return { kind, at: now - (EVENTS - number) * 1e6, vector: vector(), ...about };
});
const interests = Array.from({ length: 4 }, () => toUnit(vector()));
const ranker = createRanker(items);

function click() {
  ranker.rank(readHistory({ events, interests, now }), startWeights());
}

const flat = Float32Array.from({ length: ITEMS * 128 }, Math.random);
const others = Array.from({ length: COMPARED }, () => Float32Array.from({ length: 128 }, Math.random));
let kept = 0;
function dots() {
  for (let from = 0; from < flat.length; from += 128) {
    for (const other of others) {
      let sum = 0;
      for (let at = 0; at < 128; at += 1) sum += flat[from + at] * other[at];
      kept += sum;
    }
  }
}

function timed(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

const first = timed(click);
const [clicks, plain] = [[], []];
for (let round = 0; round < ROUNDS; round += 1) {
  clicks.push(timed(click)); // in turns, so that both meet the same machine
  plain.push(timed(dots));
}
const at = (values, share) => Number(values.sort((a, b) => a - b)[Math.floor(share * values.length)].toFixed(3));
console.log(JSON.stringify({ items: ITEMS, events: EVENTS, first_ms: Number(first.toFixed(3)), p50_ms: at(clicks, 0.5), p95_ms: at(clicks, 0.95), dots_p50_ms: at(plain, 0.5), kept: Number.isFinite(kept) }));
