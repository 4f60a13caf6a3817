/**
 * Where the history lies: IndexedDB, or memory where the browser refuses it. Both answer the same questions.
 *
 * events: {id, kind, at (ms since 1970), query? | item?, vector: Int8Array|null, space: string}
 * ledger: {id, at, endpoint, bytes, what}        what was sent, in words ("3 vectors"), never its content
 * notes:  {name, value}                          switches, weights of the re-ranker, interests
 * pool:   {name, value}                          the candidates that came last
 */

const NAME = "marketplace-history";
export const EVENTS = "events";
export const LEDGER = "ledger";
export const NOTES = "notes";
export const POOL = "pool";
const OPEN_MS = 2000;
const KEYS = { [EVENTS]: "id", [LEDGER]: "id", [NOTES]: "name", [POOL]: "name" };

// A step for each version; a database of an older version walks those it lacks. Never change one, add another.
const UPGRADES = [
  (database) => makeStores(database, [EVENTS]),
  (database) => makeStores(database, [LEDGER, NOTES, POOL]),
];

function makeStores(database, names) {
  for (const name of names) database.createObjectStore(name, { keyPath: KEYS[name] });
}

/**
 * @param {number} [waitMs] a browser that has not opened it by then counts as one that refuses
 * @returns {Promise<object>} IndexedDB behind plain promises, read once; rejects where it is blocked, silent or of a newer version
 */
export function deviceStorage(indexedDB, waitMs = OPEN_MS) {
  const opened = openedStorage(indexedDB);
  return inTime(opened, waitMs, () => opened.then((late) => late.close(), () => {}));
}

async function openedStorage(indexedDB) {
  if (!indexedDB) throw new Error("This browser has no IndexedDB.");
  const database = await open(indexedDB);
  const storage = {
    durable: true,
    read: (store) =>
      new Promise((resolve, reject) => {
        const request = database.transaction([store], "readonly").objectStore(store).getAll();
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      }),
    edit: (stores, change) => edit(database, stores, change),
    close: () => database.close(),
  };
  await storage.read(EVENTS);
  return storage;
}

/** What `work` gives, or a rejection after so long; then late() is called. */
function inTime(work, waitMs, late = () => {}) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => {
      late();
      reject(new Error("The browser's database does not answer."));
    }, waitMs);
  });
  return Promise.race([work, silence]).finally(() => clearTimeout(timer));
}

/**
 * Read and write in one transaction, so that two tabs lose nothing of each other's.
 * @param {(rows: {[store: string]: object[]}) => {put?: object, remove?: object, result?: any}} change
 *   put: {[store]: [row]}, remove: {[store]: [key]}; what is removed goes first
 */
function edit(database, stores, change) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(stores, "readwrite");
    const rows = {};
    let result;
    let failure = null;
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = () => reject(failure ?? transaction.error ?? new Error("The transaction was ended."));
    const write = () => {
      const { put = {}, remove = {}, result: answer } = change(rows);
      for (const [store, keys] of Object.entries(remove)) for (const key of keys) transaction.objectStore(store).delete(key);
      for (const [store, made] of Object.entries(put)) for (const row of made) transaction.objectStore(store).put(row);
      result = answer;
    };
    for (const store of stores) {
      const request = transaction.objectStore(store).getAll();
      request.onsuccess = () => {
        rows[store] = request.result;
        if (Object.keys(rows).length < stores.length) return;
        try {
          write();
        } catch (error) {
          // An exception inside a callback would only leave a nameless abort behind.
          failure = error;
          transaction.abort();
        }
      };
    }
  });
}

function open(indexedDB) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, UPGRADES.length);
    request.onupgradeneeded = ({ oldVersion }) => {
      for (const upgrade of UPGRADES.slice(oldVersion)) upgrade(request.result);
    };
    request.onblocked = () => reject(new Error("Another tab holds an older version of the history."));
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      // A newer version of the site in another tab may change the structure: make way for it.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
  });
}

/** Take the whole database away, whatever its version. Rejects where that is blocked or not answered. */
export function deleteStorage(indexedDB, waitMs = OPEN_MS) {
  const gone = new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("Another tab holds the history open."));
  });
  return inTime(gone, waitMs);
}

/** The same for a browser that keeps nothing: lasts as long as the page. `rows`: what to begin with. */
export function memoryStorage(rows = {}) {
  const kept = {};
  for (const [store, key] of Object.entries(KEYS)) {
    kept[store] = new Map((rows[store] ?? []).map((row) => [row[key], row]));
  }
  return {
    durable: false,
    read: async (store) => [...kept[store].values()],
    edit: async (stores, change) => {
      const { put = {}, remove = {}, result } = change(Object.fromEntries(stores.map((store) => [store, [...kept[store].values()]])));
      for (const [store, keys] of Object.entries(remove)) for (const key of keys) kept[store].delete(key);
      for (const [store, made] of Object.entries(put)) for (const row of made) kept[store].set(row[KEYS[store]], row);
      return result;
    },
    close: () => {},
  };
}
