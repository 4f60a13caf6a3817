/**
 * The weights that every shopper's re-ranker begins with (static/js/ml/weights.js, `start`), fitted to pages as the
 * cloud answers them. `node models/recipes/reranker/fit.mjs DIR`, DIR from `manage.py rerank_examples`. Prints quality
 * on the held-back moments: in the cloud's order, with the present weights, with the fitted ones; for pages that are up
 * to date and for such that miss the last events. The signals are those of the page itself (rerank.js).
 *
 * A listwise softmax over each page: what was opened next should have the highest score. Weights keep their sign. What
 * the data cannot tell (it has no sellers, no dates, no dismissals) keeps its weight: HELD.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createRanker, readHistory } from "../../../static/js/ml/rerank.js";
import { fromBase64, toUnit } from "../../../static/js/ml/vectors.js";
import { COUNT, SIGNALS, startWeights } from "../../../static/js/ml/weights.js";

const HELD = new Set(["seller", "fresh", "seen", "likeDismissed"]);
const [STEPS, RATE, PULL, TOP] = [400, 0.05, 1e-4, 10];
const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

/** @returns {{set: string, stale: number, signals: Float32Array, count: number, target: number}[]} */
function read(folder, split) {
  const found = [];
  for (const name of readdirSync(folder).filter((each) => each.endsWith(`.${split}.jsonl.gz`))) {
    for (const line of gunzipSync(readFileSync(join(folder, name))).toString().split("\n")) {
      if (line) found.push(measured(JSON.parse(line)));
    }
  }
  return found;
}

function measured({ set, stale, events, interests, items, target }) {
  const known = events.map((event, at) => ({
    ...event,
    at: NOW - (events.length - at) * MINUTE,
    vector: fromBase64(event.vector),
    ...(event.item ? { item: { ...event.item, price: Number(event.item.price) } } : {}),
  }));
  const since = Math.max(0, ...known.filter((event) => !event.is_new).map(({ at }) => at));
  const history = readHistory({ events: known, since, interests: interests.map(fromBase64).filter(Boolean).map(toUnit), now: NOW });
  const ranker = createRanker(items.map((item) => ({ ...item, published_at: "", price: Number(item.price), vector: fromBase64(item.vector) })));
  ranker.score(history, startWeights());
  return { set, stale, signals: ranker.signals, count: items.length, target: items.findIndex(({ id }) => id === target) };
}

function scores({ signals, count }, weights) {
  const found = new Float64Array(count);
  for (let item = 0; item < count; item += 1) {
    for (let at = 0; at < COUNT; at += 1) found[item] += weights[at] * signals[item * COUNT + at];
  }
  return found;
}

/** Gradient of the mean loss; each set and staleness counts the same. */
function gradient(moments, share, weights) {
  const sums = new Float64Array(COUNT);
  let loss = 0;
  for (const moment of moments) {
    const each = scores(moment, weights);
    const most = Math.max(...each);
    const powers = each.map((score) => Math.exp(score - most));
    const total = powers.reduce((a, b) => a + b);
    const part = share.get(key(moment));
    loss -= part * Math.log(powers[moment.target] / total);
    for (let item = 0; item < moment.count; item += 1) {
      const push = part * (powers[item] / total - (item === moment.target ? 1 : 0));
      for (let at = 0; at < COUNT; at += 1) sums[at] += push * moment.signals[item * COUNT + at];
    }
  }
  return { loss, sums };
}

const key = ({ set, stale }) => `${set}, ${stale === 0 ? "up to date" : `${stale} events behind`}`;

function shares(moments) {
  const counts = new Map();
  for (const moment of moments) counts.set(key(moment), (counts.get(key(moment)) ?? 0) + 1);
  return new Map([...counts].map(([name, count]) => [name, 1 / count / counts.size]));
}

/** Adam (Kingma and Ba 2015, arXiv:1412.6980), each weight kept on its side of zero. */
function fit(moments) {
  const start = startWeights();
  const weights = Float64Array.from(start);
  const [mean, square] = [new Float64Array(COUNT), new Float64Array(COUNT)];
  const share = shares(moments);
  for (let step = 1; step <= STEPS; step += 1) {
    const { loss, sums } = gradient(moments, share, weights);
    for (let at = 0; at < COUNT; at += 1) {
      if (HELD.has(SIGNALS[at].name)) continue;
      const slope = sums[at] + PULL * weights[at];
      mean[at] = 0.9 * mean[at] + 0.1 * slope;
      square[at] = 0.999 * square[at] + 0.001 * slope * slope;
      weights[at] -= (RATE * (mean[at] / (1 - 0.9 ** step))) / (Math.sqrt(square[at] / (1 - 0.999 ** step)) + 1e-9);
      weights[at] = start[at] > 0 ? Math.max(0, weights[at]) : Math.min(0, weights[at]);
    }
    if (step % 100 === 0) console.error(`step ${step}: loss ${loss.toFixed(4)}`);
  }
  return weights;
}

function quality(moments, weights) {
  const found = new Map();
  for (const moment of moments) {
    const each = weights ? scores(moment, weights) : Float64Array.from({ length: moment.count }, (_, at) => -at);
    let place = 1;
    for (let at = 0; at < moment.count; at += 1) if (each[at] > each[moment.target] || (each[at] === each[moment.target] && at < moment.target)) place += 1;
    const sums = found.get(key(moment)) ?? [0, 0, 0];
    found.set(key(moment), [sums[0] + 1, sums[1] + 1 / place, sums[2] + (place <= TOP ? 1 : 0)]);
  }
  return found;
}

const folder = process.argv[2];
if (!folder) {
  console.error("Usage: node models/recipes/reranker/fit.mjs DIR (from `manage.py rerank_examples --out DIR`)");
  process.exit(2);
}
const [train, dev] = [read(folder, "train"), read(folder, "dev")];
const fitted = fit(train);
const ways = { "cloud's order": null, "weights now": startWeights(), fitted };
console.log(`${train.length} moments to fit, ${dev.length} to measure: what was opened stands among the page's items. MRR, share among the first ${TOP}`);
const tables = Object.values(ways).map((weights) => quality(dev, weights));
for (const name of tables[0].keys()) {
  const cells = tables.map((table) => {
    const [count, mrr, hits] = table.get(name);
    return `${(mrr / count).toFixed(4)} ${(hits / count).toFixed(4)}`;
  });
  console.log(`${name.padEnd(36)} ${Object.keys(ways).map((way, at) => `${way}: ${cells[at]}`).join("   ")}`);
}
SIGNALS.forEach(({ name, start }, at) => console.log(`${name.padEnd(16)} ${start.toFixed(2).padStart(6)} → ${fitted[at].toFixed(2)}${HELD.has(name) ? " (held)" : ""}`));
