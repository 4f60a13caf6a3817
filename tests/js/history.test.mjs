import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { MAX_EVENTS, openHistory } from "../../static/js/history.js";

const DAY = 24 * 3600 * 1000;
const NAME = "marketplace-history";
const item = (id, more = {}) => ({ id, title: `Item ${id}`, url: `/item/${id}/`, price: 20, seller: "alice", category: "home", photo: "", ...more });
const vector = (first = 1) => Int8Array.from({ length: 128 }, (_, at) => (at === 0 ? 100 : first));

const opened = [];
afterEach(() => {
  for (const history of opened.splice(0)) history.close();
});

function device() {
  const indexedDB = new IDBFactory();
  indexedDB.IDBKeyRange = IDBKeyRange;
  const open = async (more = {}) => {
    const history = await openHistory({ indexedDB, channel: null, ...more });
    opened.push(history);
    return history;
  };
  return { indexedDB, open };
}

/** A database as another version of the site left it: `stores` by name → key path, with rows. */
function leave(indexedDB, version, stores) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, version);
    request.onupgradeneeded = () => {
      for (const [name, { key, rows }] of Object.entries(stores)) {
        const store = request.result.createObjectStore(name, { keyPath: key });
        for (const row of rows) store.put(row);
      }
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      request.result.close();
      resolve();
    };
  });
}

/** put() meets a full disk while isFull() is true. */
function fullDisk(indexedDB, isFull) {
  const open = indexedDB.open.bind(indexedDB);
  indexedDB.open = (...args) => {
    const request = open(...args);
    request.addEventListener("success", () => {
      const transaction = request.result.transaction.bind(request.result);
      request.result.transaction = (...given) => {
        const made = transaction(...given);
        const objectStore = made.objectStore.bind(made);
        made.objectStore = (name) => {
          const store = objectStore(name);
          const put = store.put.bind(store);
          store.put = (row) => {
            if (isFull()) throw new DOMException("The disk is full.", "QuotaExceededError");
            return put(row);
          };
          return store;
        };
        return made;
      };
    });
    return request;
  };
}

test("events survive a reload, oldest first, with their vectors as bytes", async () => {
  const { open } = device();
  let at = 1000;
  const history = await open({ now: () => (at += 1000) });
  await history.record({ kind: "search", query: " teapot " });
  await history.record({ kind: "view", item: item("a"), vector: vector(), space: "1" });
  const events = await (await open({ now: () => at })).events();
  assert.deepEqual(events.map(({ kind }) => kind), ["search", "view"]);
  assert.equal(events[0].query, "teapot");
  assert.ok(events[1].vector instanceof Int8Array);
  assert.deepEqual(events[1].vector, vector());
  assert.equal(events[1].space, "1");
});

test("of an item only what the device needs is kept, and no text without end", async () => {
  const history = await device().open();
  await history.record({ kind: "view", item: item("a", { title: "x".repeat(5000), description: "private", price: "7.50" }) });
  const [{ item: kept }] = await history.events();
  assert.equal(kept.title.length, 300);
  assert.equal(kept.price, 7.5);
  assert.ok(!("description" in kept));
});

for (const [name, event] of Object.entries({
  "an unknown kind": { kind: "stare", item: item("a") },
  "a view of nothing": { kind: "view" },
  "a search for nothing": { kind: "search", query: "   " },
})) {
  test(`not recorded: ${name}`, async () => {
    const history = await device().open();
    assert.equal(await history.record(event), null);
    assert.deepEqual(await history.events(), []);
  });
}

test("a vector of a wrong length or type is left out, the event is kept", async () => {
  const history = await device().open();
  await history.record({ kind: "view", item: item("a"), vector: new Int8Array(64) });
  await history.record({ kind: "view", item: item("b"), vector: [1, 2, 3] });
  assert.deepEqual((await history.events()).map((event) => event.vector), [null, null]);
});

test("a reload within half an hour is one event; later it is another", async () => {
  let at = DAY;
  const history = await device().open({ now: () => at });
  await history.record({ kind: "view", item: item("a"), vector: vector() });
  at += 60_000;
  await history.record({ kind: "view", item: item("a") });
  let events = await history.events();
  assert.equal(events.length, 1);
  assert.equal(events[0].at, at);
  assert.deepEqual(events[0].vector, vector(), "the vector is not lost");
  at += 3600_000;
  await history.record({ kind: "view", item: item("a") });
  events = await history.events();
  assert.equal(events.length, 2);
});

test("it is bounded: the oldest go, and nothing is older than a year", async () => {
  let at = DAY;
  const { open } = device();
  const history = await open({ now: () => at });
  for (let number = 0; number < MAX_EVENTS + 5; number += 1) {
    at += 1000;
    await history.record({ kind: "view", item: item(`i${number}`) });
  }
  const events = await history.events();
  assert.equal(events.length, MAX_EVENTS);
  assert.equal(events[0].item.id, "i5");
  at += 400 * DAY;
  assert.deepEqual(await history.events(), []);
  await history.record({ kind: "view", item: item("new") });
  at -= 399 * DAY;
  assert.equal((await history.events()).length, 1, "the old ones are gone from the disk, too");
});

test("two tabs that write at once lose nothing of each other's", async () => {
  const { open } = device();
  const [one, two] = [await open(), await open()];
  const writes = [];
  for (let number = 0; number < 20; number += 1) {
    writes.push(one.record({ kind: "view", item: item(`one${number}`) }), two.record({ kind: "view", item: item(`two${number}`) }));
    writes.push(one.noteSent({ endpoint: "/x", bytes: 1, what: "1 vector" }), two.learn((kept) => [(kept?.[0] ?? 0) + 1]));
  }
  await Promise.all(writes);
  assert.equal((await one.events()).length, 40);
  assert.equal((await two.ledger()).length, 20);
  assert.deepEqual(await one.note("weights"), [20]);
});

test("another tab hears of a change, the writer too", async () => {
  const { open } = device();
  const name = crypto.randomUUID();
  const [one, two] = [await open({ channel: new BroadcastChannel(name) }), await open({ channel: new BroadcastChannel(name) })];
  const heard = [];
  one.watch((what) => heard.push(`one ${what}`));
  const came = new Promise((resolve) => {
    two.watch((what) => {
      heard.push(`two ${what}`);
      resolve();
    });
  });
  await one.record({ kind: "view", item: item("a") });
  await came;
  assert.deepEqual(heard, ["one events", "two events"]);
});

test("a pause records and learns nothing, and keeps what is there", async () => {
  const history = await device().open();
  await history.record({ kind: "view", item: item("a") });
  await history.learn(() => [1]);
  await history.set({ paused: true });
  assert.equal(await history.record({ kind: "view", item: item("b") }), null);
  assert.deepEqual(await history.learn(() => [2]), [1]);
  assert.equal((await history.events()).length, 1);
  await history.set({ paused: false });
  assert.notEqual(await history.record({ kind: "view", item: item("b") }), null);
});

test("erase takes events, weights, interests, candidates and the ledger; a pause stays", async () => {
  const { open } = device();
  const history = await open();
  await history.record({ kind: "view", item: item("a") });
  await history.learn(() => [1]);
  await history.keepNote("interests", { vectors: ["x"] });
  await history.keepPool({ items: [1] });
  await history.noteSent({ endpoint: "/x", bytes: 5, what: "1 vector" });
  await history.set({ paused: true, server: true, noise: 0.5 });
  assert.equal(await history.erase(), true);
  const other = await open();
  assert.deepEqual(await other.events(), []);
  assert.deepEqual(await other.ledger(), []);
  assert.equal(await other.note("weights"), null);
  assert.equal(await other.note("interests"), null);
  assert.equal(await other.pool(), null);
  assert.deepEqual(await other.settings(), { paused: true, resort: true, noise: 0, server: false });
});

test("a vector that comes after the erasure brings nothing back", async () => {
  const history = await device().open();
  const id = await history.record({ kind: "search", query: "lamp" });
  await history.erase();
  await history.addVector(id, vector(), "1");
  assert.deepEqual(await history.events(), []);
});

test("a favourite and a dismissal can be taken back", async () => {
  const history = await device().open();
  await history.record({ kind: "favourite", item: item("a") });
  await history.record({ kind: "dismissal", item: item("a") });
  await history.forget("dismissal", "a");
  assert.deepEqual((await history.events()).map(({ kind }) => kind), ["favourite"]);
});

test("what is exported is all of it, as plain JSON", async () => {
  const history = await device().open({ now: () => DAY });
  await history.record({ kind: "view", item: item("a"), vector: vector(), space: "1" });
  await history.noteSent({ endpoint: "/api/recommendations", bytes: 420, what: "2 vectors" });
  await history.learn(() => [1, 2]);
  const file = JSON.parse(JSON.stringify(await history.exported()));
  assert.equal(file.events[0].item.title, "Item a");
  assert.equal(file.events[0].at, "1970-01-02T00:00:00.000Z");
  assert.deepEqual(file.events[0].vector, [...vector()]);
  assert.equal(file.sent[0].what, "2 vectors");
  assert.deepEqual(file.weights, [1, 2]);
  assert.equal(file.settings.paused, false);
});

test("the ledger is bounded, and no byte is lost from its sum", async () => {
  let at = 1;
  const history = await device().open({ now: () => (at += 1) });
  for (let number = 0; number < 1100; number += 1) await history.noteSent({ endpoint: "/api/recommendations", bytes: 3, what: "1 vector" });
  const ledger = await history.ledger();
  assert.ok(ledger.length <= 1000);
  assert.equal(ledger.reduce((sum, row) => sum + row.bytes, 0), 3300);
  assert.equal(ledger.reduce((sum, row) => sum + (row.requests ?? 1), 0), 1100);
  assert.match(ledger.at(-1).what, /earlier requests together/);
});

// --- devices that keep nothing, or little
test("a browser without IndexedDB goes on in memory", async () => {
  const history = await openHistory({ indexedDB: null, channel: null });
  assert.equal(history.durable, false);
  await history.record({ kind: "view", item: item("a") });
  assert.equal((await history.events()).length, 1);
  assert.equal(await history.erase(), true);
  assert.deepEqual(await history.events(), []);
});

test("a database that an older version left is upgraded, with its events", async () => {
  const { indexedDB, open } = device();
  const at = Date.now() - DAY;
  await leave(indexedDB, 1, { events: { key: "id", rows: [{ id: 3, kind: "view", at, item: item("old"), vector: vector(), space: "1" }] } });
  const history = await open();
  assert.equal(history.durable, true);
  await history.record({ kind: "view", item: item("new") });
  await history.noteSent({ endpoint: "/x", bytes: 1, what: "1 vector" });
  assert.deepEqual((await history.events()).map((event) => event.item.id), ["old", "new"]);
  assert.equal((await history.ledger()).length, 1);
});

test("a database of a newer version is left alone, and memory is used; erasing takes it away, too", async () => {
  const { indexedDB, open } = device();
  await leave(indexedDB, 99, { events: { key: "id", rows: [{ id: 1, kind: "view", at: 1, item: item("future") }] } });
  const history = await open();
  assert.equal(history.durable, false);
  assert.notEqual(await history.record({ kind: "view", item: item("a") }), null);
  assert.deepEqual((await history.events()).map((event) => event.item.id), ["a"]);
  assert.ok((await indexedDB.databases()).some(({ version }) => version === 99));
  assert.equal(await history.erase(), true);
  assert.deepEqual(await indexedDB.databases(), []);
});

test("a full disk: the older half makes room, and the new event is kept", async () => {
  const { indexedDB, open } = device();
  let refusals = 0;
  fullDisk(indexedDB, () => refusals-- > 0);
  let at = Date.now();
  const history = await open({ now: () => (at += 1) });
  for (const id of "abcdef") await history.record({ kind: "view", item: item(id) });
  refusals = 1;
  await history.record({ kind: "view", item: item("g") });
  assert.equal(history.durable, true);
  assert.deepEqual((await history.events()).map((event) => event.item.id), ["d", "e", "f", "g"]);
});

test("a disk that stays full: it goes on in memory with what was there", async () => {
  const { indexedDB, open } = device();
  let isFull = false;
  fullDisk(indexedDB, () => isFull);
  const history = await open();
  for (const id of "abcd") await history.record({ kind: "view", item: item(id) });
  isFull = true;
  await history.record({ kind: "view", item: item("e") });
  assert.equal(history.durable, false);
  assert.deepEqual((await history.events()).map((event) => event.item.id).slice(-3), ["c", "d", "e"]);
});

test("many writes that meet a full disk at once lose nothing of each other", async () => {
  const { indexedDB, open } = device();
  let isFull = false;
  fullDisk(indexedDB, () => isFull);
  const history = await open();
  for (const id of "abcd") await history.record({ kind: "view", item: item(id) });
  isFull = true;
  const writes = ["e", "f", "g"].map((id) => history.record({ kind: "view", item: item(id) }));
  await Promise.all([...writes, history.noteSent({ endpoint: "/x", bytes: 10, what: "1 vector" })]);
  assert.deepEqual((await history.events()).map((event) => event.item.id).slice(-5), ["c", "d", "e", "f", "g"]);
  assert.equal((await history.ledger()).length, 1);
});

test("a mistake in what is to be written is thrown, and the history stays on the disk", async () => {
  const history = await device().open();
  await assert.rejects(history.learn(() => {
    throw new TypeError("no pairs");
  }), /no pairs/);
  assert.equal(history.durable, true);
});

test("a tab whose database was closed for a newer version goes on in memory", async () => {
  const { indexedDB, open } = device();
  const history = await open();
  await history.record({ kind: "view", item: item("a") });
  await leave(indexedDB, 7, {});
  assert.notEqual(await history.record({ kind: "view", item: item("b") }), null);
  assert.equal(history.durable, false);
  assert.ok((await history.events()).some((event) => event.item.id === "b"));
});

test("a browser that never answers counts as one that refuses, and what it answers too late is closed", async () => {
  const request = {};
  const history = await openHistory({ indexedDB: { open: () => request, deleteDatabase: () => ({}) }, channel: null, waitMs: 20 });
  assert.equal(history.durable, false);
  await history.record({ kind: "view", item: item("a") });
  assert.equal((await history.events()).length, 1);

  const { indexedDB } = device();
  const open = indexedDB.open.bind(indexedDB);
  let closed = 0;
  indexedDB.open = (...args) => {
    const real = open(...args);
    const slow = { set onupgradeneeded(hear) { real.onupgradeneeded = hear; }, get result() { return real.result; } };
    real.onsuccess = () => setTimeout(() => {
      const close = real.result.close.bind(real.result);
      real.result.close = () => {
        closed += 1;
        close();
      };
      slow.onsuccess();
    }, 60);
    return slow;
  };
  assert.equal((await openHistory({ indexedDB, channel: null, waitMs: 20 })).durable, false);
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.equal(closed, 1);
});

test("of what says something of the person a line is only written where it outlives the page", async () => {
  const personal = { endpoint: "/x", bytes: 9, what: "1 vector", mustLast: true };
  const kept = await device().open();
  assert.equal(await kept.noteSent(personal), true);
  assert.equal((await kept.ledger()).length, 1);
  const blocked = await openHistory({ indexedDB: null, channel: null });
  assert.equal(await blocked.noteSent(personal), false);
  assert.equal(await blocked.noteSent({ endpoint: "/x", bytes: 9, what: "no vector" }), true);
  assert.deepEqual((await blocked.ledger()).map(({ what }) => what), ["no vector"]);

  const { indexedDB, open } = device();
  let isFull = false;
  fullDisk(indexedDB, () => isFull);
  const full = await open();
  isFull = true;
  assert.equal(await full.noteSent(personal), false, "the disk is full just now");
  assert.deepEqual(await full.ledger(), []);
});
