import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { openHistory } from "../../static/js/history.js";
import { cosine, fromBase64, quantize, toBase64, toUnit } from "../../static/js/ml/vectors.js";
import { AT } from "../../static/js/ml/weights.js";
import { createShopper, FIRST, MANY, moved } from "../../static/js/shopper.js";

const URL_ = "/api/recommendations";
const axis = (at, other = 100) => quantize(Float32Array.from({ length: 128 }, (_, index) => (index === at ? 1 : index === other ? 0.2 : 0)));
const item = (id, at, more = {}) => ({ id, title: `Item ${id}`, url: `/item/${id}/`, price: "20.00", seller: `s-${id}`, category: "home", photo: "", published_at: "", vector: axis(at), ...more });

const opened = [];
afterEach(() => {
  for (const history of opened.splice(0)) history.close();
});

/** A server that keeps what it was sent and answers with these items. */
function cloud(items, change = {}) {
  const sent = [];
  const fetcher = async (url, options) => {
    sent.push({ url, ...options, body: JSON.parse(options.body), bytes: new TextEncoder().encode(options.body).length });
    if (change.fails) throw new TypeError("offline");
    if (change.status) return new Response("<h1>no</h1>", { status: change.status });
    await change.before?.();
    const wire = items.map((each) => ({ ...each, vector: each.vector ? toBase64(each.vector) : "" }));
    return Response.json({ items: wire, source: change.source ?? "nearest", model_version: change.space ?? "1" });
  };
  return { sent, fetcher };
}

/** A worker's client whose towers are simple: one interest, the newest event; words by their first letter. */
function towers() {
  const asked = [];
  return {
    asked,
    load: async () => ({ status: "ready", model: { space: "1" } }),
    embedQuery: async (text) => {
      asked.push(text);
      return { status: "vector", vector: axis(text.charCodeAt(0) % 50), space: "1" };
    },
    interests: async (events) => {
      asked.push(events.length);
      return { status: "interests", interests: [toUnit(events.at(-1).vector)], space: "1" };
    },
  };
}

async function shopperWith({ client = towers(), items = [item("a", 1), item("b", 2), item("c", 3)], change, isBlocked = false, ...more } = {}) {
  const indexedDB = isBlocked ? null : new IDBFactory();
  if (indexedDB) indexedDB.IDBKeyRange = IDBKeyRange;
  const history = await openHistory({ indexedDB, channel: null, now: more.now });
  opened.push(history);
  const server = cloud(items, change);
  const shopper = createShopper({ history, client, url: URL_, space: "1", fetcher: server.fetcher, ...more });
  await shopper.load();
  return { shopper, history, client, indexedDB, ...server };
}

test("what is sent is a version, vectors and a limit; no cookie, no referrer, no id, no word", async () => {
  const { shopper, sent, history } = await shopperWith();
  await shopper.noteSearch("secret words");
  await shopper.note("view", item("seen", 3, { title: "A secret title" }));
  assert.equal(await shopper.renew(), "new");
  assert.equal(sent.length, 1);
  assert.deepEqual(Object.keys(sent[0].body).sort(), ["limit", "model_version", "vectors"]);
  assert.equal(sent[0].body.limit, FIRST);
  assert.equal(sent[0].body.model_version, "1");
  assert.ok(sent[0].body.vectors.every((text) => fromBase64(text)));
  assert.equal(sent[0].credentials, "omit");
  assert.equal(sent[0].referrerPolicy, "no-referrer");
  assert.doesNotMatch(JSON.stringify(sent[0]), /secret|seen/);
  const [row] = await history.ledger();
  assert.deepEqual([row.endpoint, row.bytes, row.what], [URL_, sent[0].bytes, "1 vector"]);
});

test("a newcomer asks without a vector and gets what is popular; no model is started for it", async () => {
  const { shopper, sent, client, history } = await shopperWith({ change: { source: "popular" } });
  await shopper.renew();
  assert.deepEqual(sent[0].body.vectors, []);
  assert.deepEqual(client.asked, []);
  assert.equal(shopper.candidates().source, "popular");
  assert.deepEqual(shopper.rank(shopper.candidates().items, "popular").map((entry) => entry.why), ["Popular now", "Popular now", "Popular now"]);
  assert.equal((await history.ledger())[0].what, "no vector");
});

test("candidates are kept: nothing is asked again while nothing moved", async () => {
  const { shopper, sent } = await shopperWith();
  await shopper.note("view", item("x", 3));
  assert.equal(await shopper.renew(), "new");
  assert.equal(await shopper.renew(), "fresh");
  await shopper.note("view", item("y", 3));
  assert.equal(await shopper.renew(), "fresh", "another item in the same direction");
  assert.equal(sent.length, 1);
  await shopper.note("view", item("z", 9));
  assert.equal(await shopper.renew(), "new");
  assert.equal(sent.length, 2);
});

test("a click changes the order at once, without a request", async () => {
  const { shopper, sent } = await shopperWith({ change: { source: "popular" } });
  await shopper.renew();
  const before = sent.length;
  const first = () => shopper.rank(shopper.candidates().items, "popular")[0];
  assert.equal(first().item.id, "a");
  await shopper.note("view", item("x", 3, { title: "Teapot", category: "x", price: "900" }));
  assert.equal(first().item.id, "c");
  assert.equal(first().why, "Like “Teapot”, which you looked at");
  await shopper.note("dismissal", shopper.candidates().items[2]);
  assert.equal(shopper.rank(shopper.candidates().items, "popular").length, 2);
  await shopper.undo("dismissal", "c");
  assert.equal(shopper.rank(shopper.candidates().items, "popular").length, 3);
  assert.equal(sent.length, before);
});

test("candidates older than a quarter of an hour are not shown, and asked for anew", async () => {
  let at = 1_800_000_000_000;
  const { shopper, sent } = await shopperWith({ now: () => at });
  await shopper.renew();
  assert.equal(shopper.candidates().items.length, 3);
  at += 16 * 60_000;
  assert.equal(shopper.candidates(), null);
  await shopper.renew();
  assert.equal(sent.length, 2);
});

test("the next page of candidates is one more request, and then it is there", async () => {
  const { shopper, sent } = await shopperWith();
  await shopper.renew();
  await shopper.renew({ many: true });
  await shopper.renew({ many: true });
  await shopper.renew();
  assert.deepEqual(sent.map(({ body }) => body.limit), [FIRST, MANY]);
});

for (const [name, change, said] of [
  ["offline", { fails: true }, "offline"],
  ["an error page", { status: 503 }, "failed"],
  ["a page that is no JSON", { status: 200 }, "failed"],
]) {
  test(`${name}: what is there stays, and the ledger has the bytes all the same`, async () => {
    const { shopper, history } = await shopperWith({ change });
    assert.equal(await shopper.renew(), said);
    assert.equal(shopper.candidates(), null);
    assert.equal((await history.ledger()).length, 1);
    change.fails = false;
    delete change.status;
    assert.equal(await shopper.renew(), "new");
  });
}

test("items that make no sense, or lead to another site, are left out", async () => {
  const odd = [item("a", 1), { ...item("b", 2), url: "//elsewhere.example/" }, { ...item("c", 3), url: "javascript:alert(1)" }, { ...item("d", 1), id: 5 }];
  const { shopper } = await shopperWith({ items: odd });
  await shopper.renew();
  assert.deepEqual(shopper.candidates().items.map(({ id }) => id), ["a"]);
});

test("a pause sends no vector and puts nothing in another order", async () => {
  const { shopper, history, sent } = await shopperWith();
  await shopper.note("view", item("x", 3));
  await history.set({ paused: true });
  await shopper.renew({ anew: true });
  assert.deepEqual(sent[0].body.vectors, []);
  assert.equal(shopper.rank(shopper.candidates().items, "popular")[0].item.id, "a");
  assert.equal(await shopper.note("view", item("y", 3)), null);
});

test("on a page of results the search that it answers is no reason, earlier ones are", async () => {
  const items = [item("a", 1), item("b", 2), item("c", 3)];
  const { shopper, history } = await shopperWith({ items, query: "the second" });
  await history.record({ kind: "search", query: "the second", vector: axis(2), space: "1" });
  await shopper.load();
  const order = () => shopper.rank(items, "search").map((entry) => entry.item.id);
  assert.deepEqual(order(), ["a", "b", "c"]);
  assert.deepEqual(shopper.rank(items, "search").map((entry) => entry.why), ["", "", ""]);
  await history.record({ kind: "search", query: "the third", vector: axis(3), space: "1" });
  await shopper.load();
  assert.equal(order()[0], "c");
  assert.match(shopper.rank(items, "search")[0].why, /the third/);
});

test("candidates that were asked for with what is known are moved by what happened since", async () => {
  const { shopper } = await shopperWith({ change: { source: "nearest" } });
  await shopper.note("view", item("x", 3, { seller: "x", category: "x" }));
  await shopper.renew();
  const order = () => shopper.rank(shopper.candidates().items, "nearest").map((entry) => entry.item.id);
  assert.deepEqual(order(), ["c", "a", "b"]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await shopper.note("view", item("y", 2, { seller: "y", category: "y" }));
  assert.deepEqual(order(), ["c", "b", "a"]);
});

for (const [what, change] of [
  ["paused", (history) => history.set({ paused: true })],
  ["erased", (history) => history.erase()],
]) {
  test(`nothing goes when it was ${what} while the tower was at work`, async () => {
    let go;
    const wait = new Promise((resolve) => (go = resolve));
    const slow = { ...towers(), load: async () => wait.then(() => ({ status: "ready", model: { space: "1" } })) };
    const { shopper, history, sent } = await shopperWith({ client: slow });
    await shopper.note("view", item("x", 3));
    const renewed = shopper.renew();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await change(history);
    go();
    await renewed;
    assert.deepEqual(sent, []);
    assert.deepEqual(await history.ledger(), []);
    assert.equal(await history.note("interests"), null);
  });
}

test("an erasure in another tab, of which this one hears nothing, is heeded", async () => {
  let go;
  const wait = new Promise((resolve) => (go = resolve));
  const { shopper, history, indexedDB } = await shopperWith({ change: { before: () => wait } });
  const other = await openHistory({ indexedDB, channel: null });
  opened.push(other);
  await shopper.note("view", item("x", 3));
  const renewed = shopper.renew();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await other.erase();
  go();
  await renewed;
  assert.equal(await history.pool(), null);
});

test("items of another space than the history's are not compared, and are noted as what they are", async () => {
  const { shopper, history } = await shopperWith({ items: [item("a", 7), item("b", 3)], change: { source: "popular", space: "2" } });
  await shopper.note("view", item("x", 3));
  await shopper.renew();
  const { items, source } = shopper.candidates();
  assert.deepEqual(shopper.rank(items, source).map((entry) => entry.signals[AT.recent]), [0, 0]);
  await shopper.note("favourite", items[0]);
  assert.deepEqual((await history.events()).map(({ kind, space }) => [kind, space]), [["view", "1"], ["favourite", "2"]]);
});

test("a tower that fails for now is no reason to send events; interests and events never go together", async () => {
  let answer = { status: "ready", model: { space: "1" } };
  const client = { ...towers(), load: async () => answer };
  const { shopper, history, sent } = await shopperWith({ client });
  await history.set({ server: true });
  await shopper.note("view", item("x", 3));
  await shopper.renew();
  for (const code of ["model-download", "runtime"]) {
    answer = { status: "unavailable", code };
    await shopper.note("view", item(code, 9));
    await shopper.renew({ anew: true });
    assert.ok(!("events" in sent.at(-1).body), code);
    assert.equal((await history.ledger())[0].what, "1 vector");
  }
});

test("noise changes what is sent, and nothing on the device", async () => {
  let state = 7;
  const random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648; // the same at every run
  const { shopper, history, sent } = await shopperWith({ random });
  await shopper.note("view", item("x", 3));
  await history.set({ noise: 1 });
  await shopper.renew();
  const likeness = cosine(fromBase64(sent[0].body.vectors[0]), axis(3));
  assert.ok(likeness < 0.95 && likeness > 0.2, String(likeness));
  assert.equal(await shopper.renew(), "fresh", "the blur alone is no movement");
  await shopper.renew({ anew: true });
  assert.deepEqual(sent[1].body.vectors, sent[0].body.vectors, "many blurs of one vector would give it away");
  await history.set({ noise: 2 });
  await shopper.renew({ anew: true });
  assert.notDeepEqual(sent[2].body.vectors, sent[0].body.vectors);
});

test("a device that cannot run the tower sends no vector, and still sorts by what it saw", async () => {
  const client = { ...towers(), load: async () => ({ status: "unavailable", code: "runtime" }), embedQuery: async () => ({ status: "unavailable" }) };
  const { shopper, sent } = await shopperWith({ client, change: { source: "popular" } });
  await shopper.note("view", item("x", 3));
  await shopper.renew();
  assert.deepEqual(sent[0].body.vectors, []);
  assert.equal(shopper.rank(shopper.candidates().items, "popular")[0].item.id, "c");
});

test("with consent, and only without a tower, the vectors of events go to the server", async () => {
  const none = { ...towers(), load: async () => ({ status: "unavailable", code: "runtime" }), embedQuery: async () => ({ status: "unavailable" }) };
  const { shopper, sent, history } = await shopperWith({ client: none });
  await shopper.noteSearch("secret words");
  await shopper.note("view", item("seen", 3, { title: "A secret title" }));
  await shopper.renew();
  assert.ok(!("events" in sent[0].body), "not without consent");
  assert.equal(shopper.wantsConsent, true);
  await history.set({ server: true });
  assert.equal(await shopper.renew(), "new");
  assert.deepEqual(sent[1].body.events.map(({ kind, age }) => [kind, age]), [["view", 0]], "a search without a vector stays here");
  assert.doesNotMatch(JSON.stringify(sent[1].body), /secret|seen/);
  assert.equal((await history.ledger())[0].what, "vectors of 1 event");
  assert.equal(shopper.wantsConsent, false);
  assert.equal(await shopper.renew(), "fresh");

  const able = await shopperWith();
  await able.history.set({ server: true });
  await able.shopper.note("view", item("x", 3));
  await able.shopper.renew();
  assert.ok(!("events" in able.sent[0].body), "a device with towers does it itself");
});

test("vectors of other towers are worked out anew from the words, and never multiplied with these", async () => {
  const { shopper, history, client } = await shopperWith();
  await history.record({ kind: "view", item: item("x", 3, { title: "teapot" }), vector: axis(1), space: "0" });
  await shopper.load();
  assert.equal(shopper.rank([item("a", 9), item("b", 1)], "nearest")[0].item.id, "a", "the old vector lifts nothing");
  await shopper.renew();
  assert.deepEqual(client.asked, ["teapot", 1]);
  assert.equal((await history.events())[0].space, "1");
});

test("an erasure while the answer is on its way: nothing comes back", async () => {
  const change = {};
  const { shopper, history } = await shopperWith({ change });
  await shopper.note("view", item("x", 3));
  change.before = () => history.erase();
  await shopper.renew();
  assert.equal(await history.pool(), null);
  assert.deepEqual(await history.events(), []);
});

test("clicks are learned from, and forgotten with the history", async () => {
  const { shopper, history } = await shopperWith();
  await shopper.note("view", item("x", 3));
  const ranked = shopper.rank([item("a", 1), item("b", 2)], "nearest");
  await shopper.learnFrom([[[...ranked[1].signals], [...ranked[0].signals]]]);
  assert.notEqual(await history.note("weights"), null);
  await history.erase();
  assert.equal(await history.note("weights"), null);
});

test("an interest has moved when no earlier one points its way", () => {
  const [a, b] = [toUnit(axis(1)), toUnit(axis(2))];
  assert.equal(moved([a], [axis(1)]), false);
  assert.equal(moved([a, b], [axis(1)]), true);
  assert.equal(moved([b], [axis(1), null]), true);
  assert.equal(moved([], []), false);
  assert.equal(moved([], [axis(1)]), true);
});

test("where the ledger cannot be kept no vector goes, with consent or without; it still sorts by what it saw", async () => {
  const none = { ...towers(), load: async () => ({ status: "unavailable", code: "runtime" }) };
  for (const client of [towers(), none]) {
    const { shopper, history, sent } = await shopperWith({ client, isBlocked: true, change: { source: "popular" } });
    await history.set({ server: true });
    await shopper.note("favourite", item("x", 3));
    await shopper.renew();
    await shopper.renew({ anew: true });
    assert.deepEqual(sent.map(({ body }) => [body.vectors, body.events]), [[[], undefined], [[], undefined]]);
    assert.equal(shopper.wantsConsent, false);
    assert.equal(shopper.rank(shopper.candidates().items, "popular")[0].item.id, "c");
  }
});

test("a disk that is full when the line is to be written: nothing goes", async () => {
  const { shopper, history, sent } = await shopperWith();
  await shopper.note("view", item("x", 3));
  const noteSent = history.noteSent;
  history.noteSent = async (sent) => !sent.mustLast && noteSent(sent);
  assert.equal(await shopper.renew(), "failed");
  assert.deepEqual(sent, []);
});

test("the later of heart and dismissal holds; taken back, it leaves the earlier", async () => {
  let at = Date.now();
  const { shopper } = await shopperWith({ now: () => (at += 1) });
  await shopper.note("favourite", item("a", 1));
  await shopper.note("dismissal", item("a", 1));
  assert.deepEqual([shopper.isFavourite("a"), shopper.isDismissed("a")], [false, true]);
  await shopper.undo("dismissal", "a");
  assert.deepEqual([shopper.isFavourite("a"), shopper.isDismissed("a")], [true, false]);
});

test("a pause shows what everybody sees: no candidates of one's own, and what was dismissed", async () => {
  const { shopper, history } = await shopperWith();
  await shopper.note("view", item("x", 3));
  await shopper.note("dismissal", item("b", 2));
  await shopper.renew();
  assert.equal(shopper.rank(shopper.candidates().items, "nearest").length, 2);
  await history.set({ paused: true });
  await shopper.load();
  assert.equal(shopper.candidates(), null);
  assert.equal(shopper.isDismissed("b"), false);
  assert.deepEqual(shopper.rank([item("a", 1), item("b", 2), item("c", 3)], "popular").map((entry) => entry.item.id), ["a", "b", "c"]);
  await history.set({ paused: false });
  await shopper.load();
  assert.equal(shopper.isDismissed("b"), true);
  assert.notEqual(shopper.candidates(), null);
});
