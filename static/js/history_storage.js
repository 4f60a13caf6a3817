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
const KEYS = { [EVENTS]: "id", [LEDGER]: "id", [NOTES]: "name", [POOL]: "name" };

// A step for each version; a database of an older version walks those it lacks. Never change one, add another.
const UPGRADES = [
  (database) => makeStores(database, [EVENTS]),
  (database) => makeStores(database, [LEDGER, NOTES, POOL]),
];

function makeStores(database, names) {
  for (const name of names) database.createObjectStore(name, { keyPath: KEYS[name] });
}

/** @returns {Promise<object>} IndexedDB behind plain promises; rejects where it is blocked or of a newer version */
export async function deviceStorage(indexedDB) {
  if (!indexedDB) throw new Error("This browser has no IndexedDB.");
  const database = await open(indexedDB);
  return {
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

/** Take the whole database away, whatever its version. Rejects where that is blocked. */
export function deleteStorage(indexedDB) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("Another tab holds the history open."));
  });
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
