import assert from "node:assert/strict";
import { test } from "node:test";
import { decay, standing } from "../../static/js/ml/events.js";
import { meanSignals, reason } from "../../static/js/ml/reasons.js";
import { createRanker, readHistory, spread } from "../../static/js/ml/rerank.js";
import { quantize, toUnit } from "../../static/js/ml/vectors.js";
import { AT, COUNT, inWords, learn, readWeights, SIGNALS, startWeights } from "../../static/js/ml/weights.js";

const DAY = 24 * 3600 * 1000;
const NOW = 1_800_000_000_000;
const START = startWeights();

/** A direction in the space: mostly along one axis, a little along another. */
function along(axis, other = 100, share = 0.2) {
  const floats = new Float32Array(128);
  floats[axis] = 1;
  floats[other] += share;
  return quantize(floats);
}
const item = (id, axis, more = {}) => ({ id, title: `Item ${id}`, seller: `s-${id}`, category: "home", price: 20, published_at: "", vector: along(axis), ...more });
const event = (kind, about, days = 0) => ({
  kind,
  at: NOW - days * DAY,
  vector: about.vector ?? null,
  ...(kind === "search" ? { query: about.query } : { item: about }),
});
const read = (events, more = {}) => readHistory({ events, now: NOW, ...more });
const order = (items, history, weights = START) => createRanker(items).rank(history, weights).map((entry) => entry.item.id);
function why(items, history, id, source = "nearest") {
  const ranked = createRanker(items).rank(history, START);
  return reason(ranked.find((entry) => entry.item.id === id), meanSignals(ranked), START, history, { source });
}

test("without a history the cloud's order stays", () => {
  const items = [item("a", 1), item("b", 2), item("c", 3)];
  assert.deepEqual(order(items, read([])), ["a", "b", "c"]);
});

test("one click brings what is like it to the front", () => {
  const items = [item("a", 1), item("b", 2), item("c", 3), item("d", 4)];
  const clicked = item("x", 4, { seller: "x", category: "toys", price: 900 });
  assert.equal(order(items, read([event("view", clicked)]))[0], "d");
});

test("a search brings what fits it, a search without a vector changes nothing", () => {
  const items = [item("a", 1), item("b", 2), item("c", 3)];
  assert.equal(order(items, read([event("search", { query: "c", vector: along(3) })]))[0], "c");
  assert.deepEqual(order(items, read([event("search", { query: "c" })])), ["a", "b", "c"]);
});

test("an interest counts, from whatever events it came", () => {
  const items = [item("a", 1), item("b", 2), item("c", 3)];
  assert.equal(order(items, read([event("search", { query: "?" })], { interests: [toUnit(along(3))] }))[0], "c");
});

test("what the cloud's order knew does not count twice, what came since does", () => {
  const items = [item("a", 1), item("b", 2), item("c", 3)];
  const before = event("view", item("x", 2, { category: "x" }), 2);
  const after = event("view", item("y", 3, { category: "y" }), 1);
  assert.deepEqual(order(items, read([before], { since: before.at })), ["a", "b", "c"]);
  assert.equal(order(items, read([before, after], { since: before.at }))[0], "c");
  assert.equal(read([before, after], { since: before.at }).trust, 1 / 2, "an order that misses one of two events");
  assert.equal(read([before, after]).trust, 1, "an order for everybody");
});

test("an old event counts less: half after two weeks", () => {
  assert.equal(decay(0), 1);
  assert.equal(decay(14), 0.5);
  assert.equal(decay(-3), 1, "a clock that was put back makes nothing grow");
  const items = [item("a", 1), item("b", 2), item("c", 3)];
  const fresh = event("view", item("x", 3, { category: "x" }), 0);
  const old = event("view", item("y", 2, { category: "y" }), 60);
  assert.equal(order(items, read([old, fresh]))[0], "c");
});

test("what was dismissed or bought is not offered, nor one's own", () => {
  const items = [item("a", 1), item("b", 2), item("c", 3, { seller: "me" }), item("d", 4)];
  const history = read([event("dismissal", items[0]), event("purchase", items[1])], { me: "me" });
  assert.deepEqual(order(items, history), ["d"]);
});

test("what is like something dismissed goes down; other things do not", () => {
  const items = [item("a", 1), item("b", 2), item("c", 3)];
  assert.deepEqual(order(items, read([event("dismissal", item("x", 1, { category: "x" }))])), ["b", "c", "a"]);
});

test("what was seen fades, and comes back with time", () => {
  const items = [item("a", 1), item("b", 1), item("c", 1)];
  assert.equal(order(items, read([event("view", items[0])])).at(-1), "a");
  const score = (days) => {
    const ranker = createRanker([items[0]]);
    ranker.score(read([event("view", items[0], days)]), START);
    return ranker.signals[AT.seen];
  };
  assert.ok(score(28) < 0.3 && score(0) === 1);
});

test("an item is not like itself: its own view lifts nothing", () => {
  const ranker = createRanker([item("a", 1), item("b", 2)]);
  ranker.score(read([event("view", item("a", 1))]), START);
  assert.equal(ranker.signals[AT.recent], 0);
  assert.equal(ranker.signals[AT.last], 0);
});

test("prices near those looked at in that category count, others not at all", () => {
  const items = [item("far", 1, { price: 900 }), item("near", 1, { price: 22 }), item("free", 1, { price: 0 })];
  const ranker = createRanker(items);
  ranker.score(read([event("view", item("x", 5, { price: 20 }))]), START);
  const [far, near, free] = [0, 1, 2].map((at) => ranker.signals[at * COUNT + AT.price]);
  assert.ok(near > 0.85 && far < 0.05 && free === 0);
});

test("items without a vector or a date, and scores that are no numbers, still come out ranked", () => {
  const items = [item("a", 1, { vector: null, published_at: null }), item("b", 2, { price: NaN }), item("c", 3, { seller: undefined })];
  const history = read([event("view", item("x", 3))]);
  const ranked = createRanker(items).rank(history, START);
  assert.equal(ranked.length, 3);
  assert.ok(ranked.every(({ score }) => Number.isFinite(score)));
  assert.deepEqual(createRanker([]).rank(history, START), []);
});

test("one seller does not fill the page where others are to be had", () => {
  const rows = ["x", "x", "x", "x", "y", "z", "w"].map((seller, at) => ({ item: { id: String(at), seller } }));
  const sellers = spread(rows).map((row) => row.item.seller);
  assert.equal(sellers.length, 7);
  assert.deepEqual(sellers.slice(0, 5), ["x", "x", "y", "z", "w"]);
});

// --- why
test("the reason names what lifted the item most", () => {
  const items = [item("a", 1), item("b", 2), item("c", 3)];
  const teapot = item("t", 2, { title: "Teapot with bamboo handle", category: "kitchen", price: 900 });
  assert.equal(why(items, read([event("view", teapot)]), "b"), "Like “Teapot with bamboo handle”, which you looked at");
  assert.equal(why(items, read([event("favourite", teapot)]), "b"), "Like “Teapot with bamboo handle”, which you marked as a favourite");
  assert.equal(why(items, read([event("search", { query: "teapot", vector: along(2) })]), "b"), "You searched for “teapot”");
});

test("what nothing of one's own lifted has the reason of its source, or none", () => {
  const items = [item("a", 1), item("b", 2, { published_at: new Date(NOW - DAY).toISOString() })];
  const none = read([]);
  assert.equal(why(items, none, "a", "popular"), "Popular now");
  assert.equal(why(items, none, "b", "popular"), "New");
  assert.equal(why(items, none, "a", "search"), "");
  assert.equal(why(items, read([event("view", item("x", 2, { category: "x" }))]), "a", "popular"), "Popular now", "not that of its neighbour");
});

test("a card is no reason for itself", () => {
  const hearted = item("a", 1, { seller: "alice", category: "toys" });
  const items = [item("b", 2), item("c", 3), hearted];
  assert.equal(why(items, read([event("favourite", hearted)]), "a"), "");
  assert.equal(why(items, read([event("favourite", hearted)]), "a", "popular"), "Popular now");
  const another = item("x", 9, { seller: "alice", category: "books", price: 900 });
  assert.equal(why(items, read([event("favourite", another)]), "a"), "From a seller whose things you looked at");
});

test("somebody looks around in a category after two events there", () => {
  const items = [item("a", 1, { category: "toys" }), item("b", 2, { category: "books" }), item("c", 3, { category: "books" })];
  const toy = (id) => event("view", item(id, 9, { category: "toys", price: 0 }));
  assert.equal(why(items, read([toy("x")]), "a"), "");
  assert.equal(why(items, read([toy("x"), toy("y")]), "a"), "In toys, where you look around");
});

test("what the cloud found near is said to be close only to what it is close to", () => {
  const far = { category: "x", price: 900, seller: "x" };
  const at = (share) => [item("a", 1), item("b", 1, { vector: along(1, 50, share) })]; // shares lift neither above the other
  const searched = (axis) => read([event("search", { query: "drill", vector: along(axis) })], { since: NOW + 1 });
  assert.equal(why(at(0.2), searched(1), "a"), "Close to what you have been looking for");
  assert.equal(why(at(0.2), searched(70), "a"), "Something different");
  const viewed = (axis) => read([event("view", item("t", axis, far))], { since: NOW + 1 });
  assert.equal(why(at(0.2), viewed(1), "a"), "Like things you have looked at");
  assert.equal(why(at(0.2), viewed(70), "a"), "Something different");
  const fresh = [item("a", 1, { published_at: new Date(NOW - DAY).toISOString() }), item("b", 2, { published_at: new Date(NOW - DAY).toISOString() })];
  assert.equal(why(fresh, searched(70), "a"), "New");
  assert.equal(why([item("a", 1, { vector: null }), item("b", 2)], searched(70), "a"), "", "nobody can say");
  assert.equal(why(at(0.2), read([event("search", { query: "drill" })]), "a"), "", "nothing to compare with");
});

test("a likeness is a cosine of 0.5 to a thing, of 0.4 to words", () => {
  const of = (cosine) => quantize(Float32Array.from({ length: 128 }, (_, at) => (at === 1 ? cosine : at === 60 ? Math.sqrt(1 - cosine ** 2) : 0)));
  const axis = quantize(Float32Array.from({ length: 128 }, (_, at) => (at === 1 ? 1 : 0)));
  const items = (cosine) => [item("a", 2, { vector: of(cosine) }), item("b", 3)];
  const search = read([event("search", { query: "drill", vector: axis })]);
  const view = read([event("view", item("t", 1, { vector: axis, title: "Drill", category: "x", price: 900 }))]);
  assert.equal(why(items(0.43), search, "a"), "You searched for “drill”");
  assert.equal(why(items(0.37), search, "a"), "Something different");
  assert.equal(why(items(0.53), view, "a"), "Like “Drill”, which you looked at");
  assert.equal(why(items(0.47), view, "a"), "Something different");
});

test("nothing is said to be like what was dismissed since, or whose heart was taken back", () => {
  const items = [item("a", 1), item("b", 2), item("c", 3)];
  const teapot = item("t", 2, { title: "Teapot", category: "kitchen", price: 900 });
  const events = [event("view", teapot, 0.3), event("favourite", teapot, 0.2), event("dismissal", teapot, 0.1)];
  assert.doesNotMatch(why(items, read(events), "b"), /Teapot/);
  assert.match(why(items, read(events.slice(0, 2)), "b"), /favourite/);
  assert.match(why(items, read(events.slice(0, 1)), "b"), /which you looked at/);
});

test("of a favourite and a dismissal the later holds, in what is offered and what counts", () => {
  const thing = item("a", 1);
  const [hearted, dismissed] = [event("favourite", thing, 0.2), event("dismissal", thing, 0.1)];
  assert.deepEqual(standing([hearted, dismissed]), [dismissed]);
  assert.deepEqual(standing([hearted]), [hearted], "undone");
  const again = event("favourite", thing);
  assert.deepEqual(standing([dismissed, again]), [again]);
  const items = [thing, item("b", 1), item("c", 3)];
  assert.deepEqual(order(items, read([hearted, dismissed])), ["c", "b"]);
  assert.equal(order(items, read([dismissed, again])).length, 3);
  assert.equal(read([dismissed, again]).dismissed.length, 0);
  assert.equal(read([hearted, dismissed]).hasTaste, false);
});

// --- learning
const signals = (values) => Float64Array.from({ length: COUNT }, (_, at) => values[SIGNALS[at].name] ?? 0);

test("a click moves the weights towards what the clicked card had", () => {
  const pairs = [[signals({ category: 1 }), signals({ recent: 1 })]];
  const after = learn(null, pairs);
  assert.ok(after[AT.category] > START[AT.category]);
  assert.ok(after[AT.recent] < START[AT.recent]);
  const loss = (weights) => Math.log(1 + Math.exp(weights[AT.recent] - weights[AT.category]));
  assert.ok(loss(after) < loss(START));
});

test("weights stay bounded however often one clicks, and no signal turns into its opposite", () => {
  let weights = null;
  for (let step = 0; step < 2000; step += 1) weights = learn(weights, [[signals({ seen: 1, price: 1 }), signals({ recent: 1, server: 1 })]]);
  weights.forEach((weight, at) => {
    const { start } = SIGNALS[at];
    assert.ok(Math.abs(weight - start) <= 2 + 1e-9 || weight === 0, SIGNALS[at].name);
    assert.ok(start > 0 ? weight >= 0 : weight <= 0, SIGNALS[at].name);
  });
});

test("what was learned fades when clicks say nothing more", () => {
  let weights = learn(null, [[signals({ category: 1 }), signals({ recent: 1 })]]);
  const far = Math.abs(weights[AT.category] - START[AT.category]);
  const same = signals({ fresh: 1 });
  for (let step = 0; step < 300; step += 1) weights = learn(weights, [[same, same]]);
  assert.ok(Math.abs(weights[AT.category] - START[AT.category]) < far / 10);
});

test("weights that were damaged or of another version are those at the start", () => {
  for (const kept of [null, "x", [1, 2], Array(COUNT).fill(NaN), Array(COUNT + 1).fill(1)]) assert.deepEqual(readWeights(kept), START);
  assert.deepEqual(learn(null, []), START);
});

test("a shopper who always clicks by category is soon ranked by it", () => {
  const items = [item("near", 3, { category: "x" }), item("mine", 7, { category: "toys" }), item("other", 8, { category: "y" })];
  const history = read([event("view", item("t", 9, { category: "toys", price: 1 }), 1), event("view", item("x", 3, { category: "none", price: 1 }))]);
  assert.equal(order(items, history)[0], "near");
  let weights = null;
  for (let click = 0; click < 60; click += 1) {
    const ranked = createRanker(items).rank(history, readWeights(weights));
    const mine = ranked.find((entry) => entry.item.id === "mine");
    weights = learn(weights, ranked.filter((entry) => entry !== mine).map((entry) => [[...mine.signals], [...entry.signals]]));
  }
  assert.equal(order(items, history, weights)[0], "mine");
});

test("what was learned is said in words", () => {
  const words = inWords(null);
  assert.equal(words.length, COUNT);
  assert.ok(words.every((row) => row.words === "unchanged" && row.about));
  const after = inWords(learn(null, [[signals({ category: 1 }), signals({ recent: 1 })]]));
  assert.match(after[AT.category].words, /more$/);
  assert.match(after[AT.recent].words, /less$/);
});
