import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { openDrafts } from "../../static/js/drafts.js";

const KEY = "0b9f5c0e-6a0c-4c0b-9a53-0c4f3c1c9f10";
const photo = (id, text = "bytes") => ({ id, name: `${id}.jpg`, type: "image/jpeg", size: text.length, alt: "", blob: new Blob([text]) });
const content = (title, photos = []) => ({ fields: { title }, photos });

const opened = [];
afterEach(() => {
  for (const drafts of opened.splice(0)) drafts.close();
});

/** One device: its IndexedDB, and a way to open it as an account, in as many tabs as wanted. */
function device() {
  const indexedDB = new IDBFactory();
  indexedDB.IDBKeyRange = IDBKeyRange;
  return async (owner = "7", more = {}) => {
    const drafts = await openDrafts({ owner, indexedDB, channel: null, ...more });
    opened.push(drafts);
    return drafts;
  };
}

/** Every write of photos (or of everything) meets a full disk. */
function fullDisk(indexedDB, stores) {
  const open = indexedDB.open.bind(indexedDB);
  indexedDB.open = (...args) => {
    const request = open(...args);
    request.addEventListener("success", () => {
      const transaction = request.result.transaction.bind(request.result);
      request.result.transaction = (names, mode) => {
        const made = transaction(names, mode);
        if (mode !== "readwrite") return made;
        const objectStore = made.objectStore.bind(made);
        made.objectStore = (name) => {
          const store = objectStore(name);
          if (stores.includes(name)) {
            store.put = () => {
              throw new DOMException("The disk is full.", "QuotaExceededError");
            };
          }
          return store;
        };
        return made;
      };
    });
    return request;
  };
}

/** The page is closed after so many more writes. */
function closedAfter(indexedDB, writes) {
  const open = indexedDB.open.bind(indexedDB);
  let left = writes;
  indexedDB.open = (...args) => {
    const request = open(...args);
    request.addEventListener("success", () => {
      const transaction = request.result.transaction.bind(request.result);
      request.result.transaction = (names, mode) => {
        if (mode === "readwrite" && left-- <= 0) throw new DOMException("The page is gone.", "AbortError");
        return transaction(names, mode);
      };
    });
    return request;
  };
  return () => {
    indexedDB.open = open;
  };
}

test("text and photos survive a reload", async () => {
  const open = device();
  const saved = await (await open()).save(KEY, content("A lamp", [photo("a", "first"), photo("b", "second")]), 0);
  assert.equal(saved.status, "saved");
  assert.equal(saved.version, 1);
  const draft = await (await open()).load(KEY);
  assert.equal(draft.fields.title, "A lamp");
  assert.deepEqual(await Promise.all(draft.photos.map(({ blob }) => blob.text())), ["first", "second"]);
  assert.equal(draft.missing, 0);
});

for (const writes of [0, 1, 2, 3]) {
  test(`a page closed after ${writes} writes leaves a draft with all of its photos`, async () => {
    const indexedDB = new IDBFactory();
    indexedDB.IDBKeyRange = IDBKeyRange;
    const open = async () => {
      const drafts = await openDrafts({ owner: "7", indexedDB, channel: null });
      opened.push(drafts);
      return drafts;
    };
    await (await open()).save(KEY, content("A lamp", [photo("a", "as chosen")]), 0);
    const reopen = closedAfter(indexedDB, writes);
    await (await open()).save(KEY, content("A lamp", [{ ...photo("a+", "made smaller"), before: "a" }]), 1);
    reopen();
    const draft = await (await open()).load(KEY);
    assert.equal(draft.missing, 0);
    assert.match(await draft.photos[0].blob.text(), writes < 2 ? /as chosen/ : /made smaller/);
  });
}

test("another account on the same device sees nothing of it; the owner still does", async () => {
  const open = device();
  await (await open("7")).save(KEY, content("A lamp", [photo("a")]), 0);
  const other = await open("8");
  assert.equal(await other.load(KEY), null);
  assert.deepEqual(await other.list(), []);
  assert.equal((await other.save(KEY, content("Theirs"), 0)).status, "saved");
  assert.equal((await (await open("7")).load(KEY)).fields.title, "A lamp");
});

test("the second of two tabs is refused, and nothing is overwritten", async () => {
  const open = device();
  const [one, two] = [await open(), await open()];
  await one.save(KEY, content("Start"), 0);
  assert.equal((await one.save(KEY, content("From one"), 1)).version, 2);
  const answer = await two.save(KEY, content("From two"), 1);
  assert.deepEqual([answer.status, answer.version], ["conflict", 2]);
  assert.equal((await two.load(KEY)).fields.title, "From one");
});

test("two tabs that save at the same moment: exactly one wins", async () => {
  const open = device();
  const tabs = [await open(), await open()];
  const answers = await Promise.all(tabs.map((tab, index) => tab.save(KEY, content(`Tab ${index}`), 0)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), ["conflict", "saved"]);
});

test("a draft deleted in one tab is not brought back by a save in the other", async () => {
  const open = device();
  const [one, two] = [await open(), await open()];
  await one.save(KEY, content("Start"), 0);
  await two.remove(KEY);
  assert.equal((await one.save(KEY, content("More"), 1)).status, "conflict");
});

test("tabs hear of each other, and not of other drafts or accounts", async () => {
  const open = device();
  const heard = [];
  const channels = ["7", "7", "8"].map(() => new BroadcastChannel("test-drafts"));
  const [one, two, stranger] = await Promise.all(["7", "7", "8"].map((owner, index) => open(owner, { channel: channels[index] })));
  one.watch(() => KEY, ({ kind, version }) => {
    if (kind !== "open" || heard.length === 0) heard.push([kind, version]); // both greet, and answer greetings
  });
  const until = async (count) => {
    const deadline = Date.now() + 3000;
    while (heard.length < count && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  two.watch(() => KEY, () => {});
  await until(1);
  await stranger.save(KEY, content("Not yours"), 0);
  await two.save("another-key", content("Another"), 0);
  await two.save(KEY, content("Yours"), 0);
  await until(2);
  await two.remove(KEY);
  await until(3);
  assert.deepEqual(heard, [["open", 0], ["saved", 1], ["removed", 0]]);
});

test("a full disk keeps the text and says which photos it could not keep", async () => {
  const indexedDB = new IDBFactory();
  indexedDB.IDBKeyRange = IDBKeyRange;
  fullDisk(indexedDB, ["photos"]);
  const drafts = await openDrafts({ owner: "7", indexedDB, channel: null });
  opened.push(drafts);
  const answer = await drafts.save(KEY, content("A lamp", [photo("a"), photo("b")]), 0);
  assert.deepEqual([answer.status, answer.lostPhotos], ["saved", ["a", "b"]]);
  const draft = await drafts.load(KEY);
  assert.equal(draft.fields.title, "A lamp");
  assert.equal(draft.missing, 2);
});

test("a disk too full even for text is an answer, never an exception", async () => {
  const indexedDB = new IDBFactory();
  indexedDB.IDBKeyRange = IDBKeyRange;
  fullDisk(indexedDB, ["photos", "drafts"]);
  const drafts = await openDrafts({ owner: "7", indexedDB, channel: null });
  opened.push(drafts);
  const answer = await drafts.save(KEY, content("A lamp"), 0);
  assert.deepEqual(answer, { status: "failed", reason: "full" });
});

test("with storage blocked drafts last as long as the page, and that is said", async () => {
  const blocked = {
    open: () => {
      throw new DOMException("blocked", "SecurityError");
    },
  };
  for (const indexedDB of [null, blocked]) {
    const drafts = await openDrafts({ owner: "7", indexedDB, channel: null });
    assert.equal(drafts.durable, false);
    assert.equal((await drafts.save(KEY, content("A lamp", [photo("a", "kept")]), 0)).status, "saved");
    const draft = await drafts.load(KEY);
    assert.equal(await draft.photos[0].blob.text(), "kept");
    assert.equal((await drafts.save(KEY, content("Late"), 0)).status, "conflict");
  }
});

test("a removed photo leaves the disk, one of the account is only named", async () => {
  const open = device();
  const drafts = await open();
  await drafts.save(KEY, content("A lamp", [photo("a"), photo("b")]), 0);
  await drafts.save(KEY, content("A lamp", [{ id: "server-3", server: "3", alt: "side" }, photo("b")]), 1);
  const draft = await drafts.load(KEY);
  assert.deepEqual(draft.photos.map(({ id }) => id), ["server-3", "b"]);
  await drafts.save(KEY, content("A lamp", [photo("a")].map(({ blob: _blob, ...rest }) => rest)), 2);
  assert.equal((await drafts.load(KEY)).missing, 1);
});

test("drafts are bounded: the oldest makes room, and its name is told", async () => {
  let time = 0;
  const open = device();
  const drafts = await open("7", { now: () => (time += 1) });
  let removed = [];
  for (let index = 0; index < 41; index += 1) {
    ({ removed } = await drafts.save(`key-${index}`, content(`Draft ${index}`), 0));
  }
  assert.deepEqual(removed, ["Draft 0"]);
  const list = await drafts.list();
  assert.equal(list.length, 40);
  assert.equal(list[0].title, "Draft 40");
});

test("a note does not count as a change and survives the next save", async () => {
  const drafts = await device()();
  await drafts.save(KEY, { ...content("A lamp"), meta: { baseRevision: 3 } }, 0);
  assert.equal(await drafts.note(KEY, { accountVersion: 5 }), true);
  assert.equal((await drafts.save(KEY, content("A lamp, brass"), 1)).version, 2);
  assert.deepEqual((await drafts.load(KEY)).meta, { baseRevision: 3, accountVersion: 5 });
  assert.equal(await drafts.note("unknown", { accountVersion: 1 }), false);
});
