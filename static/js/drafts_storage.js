/**
 * Where drafts lie: IndexedDB, or memory where the browser refuses it. Both answer the same questions.
 *
 * draft record: {owner, key, schema, version, savedAt (ms since 1970), fields, photos, meta}
 * photo record: {owner, key, id, blob}
 */

const NAME = "marketplace-drafts";
const DRAFTS = "drafts";
const PHOTOS = "photos";
const STRUCTURE = 1;

/** @returns {Promise<object>} IndexedDB behind plain promises; rejects where it is blocked */
export async function deviceStorage(indexedDB) {
  if (!indexedDB) throw new Error("This browser has no IndexedDB.");
  const database = await open(indexedDB);

  function within(stores, mode, work) {
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(stores, mode);
      let result;
      let failure = null;
      transaction.oncomplete = () => resolve(result);
      transaction.onabort = () => reject(failure ?? transaction.error ?? new Error("The transaction was ended."));
      const done = (value) => {
        result = value;
      };
      // An exception inside a callback would only leave a nameless abort behind.
      const guarded = (step) => (event) => {
        try {
          step(event);
        } catch (error) {
          failure = error;
          transaction.abort();
        }
      };
      guarded(() => work(transaction, done, guarded))();
    });
  }
  const read = (store, ask) =>
    within([store], "readonly", (transaction, done) => {
      const request = ask(transaction.objectStore(store));
      request.onsuccess = () => done(request.result);
    });
  const range = (owner, key) => IDBKeyRangeOf(indexedDB).bound([owner, key], [owner, key, []]);

  return {
    durable: true,
    get: (owner, key) => read(DRAFTS, (store) => store.get([owner, key])),
    all: (owner) => read(DRAFTS, (store) => store.index("owner").getAll(owner)),
    /** Read and write in one transaction, so two tabs cannot both think they were first. */
    exchange: (owner, key, change) =>
      within([DRAFTS], "readwrite", (transaction, done, guarded) => {
        const store = transaction.objectStore(DRAFTS);
        const request = store.get([owner, key]);
        request.onsuccess = guarded(() => {
          const next = change(request.result);
          if (next) store.put(next);
          done(next ?? null);
        });
      }),
    remove: (owner, key) =>
      within([DRAFTS, PHOTOS], "readwrite", (transaction) => {
        transaction.objectStore(DRAFTS).delete([owner, key]);
        transaction.objectStore(PHOTOS).delete(range(owner, key));
      }),
    photoIds: async (owner, key) =>
      (await read(PHOTOS, (store) => store.getAllKeys(range(owner, key)))).map(([, , id]) => id),
    getPhoto: async (owner, key, id) => (await read(PHOTOS, (store) => store.get([owner, key, id])))?.blob,
    putPhoto: (owner, key, id, blob) =>
      within([PHOTOS], "readwrite", (transaction) => {
        transaction.objectStore(PHOTOS).put({ owner, key, id, blob });
      }),
    removePhoto: (owner, key, id) =>
      within([PHOTOS], "readwrite", (transaction) => {
        transaction.objectStore(PHOTOS).delete([owner, key, id]);
      }),
    close: () => database.close(),
  };
}

function open(indexedDB) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, STRUCTURE);
    request.onupgradeneeded = () => {
      const database = request.result;
      const drafts = database.createObjectStore(DRAFTS, { keyPath: ["owner", "key"] });
      drafts.createIndex("owner", "owner");
      database.createObjectStore(PHOTOS, { keyPath: ["owner", "key", "id"] });
    };
    request.onblocked = () => reject(new Error("Another tab holds an older version of the drafts."));
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      // A newer version of the site in another tab may change the structure: make way for it.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
  });
}

// Tests bring their own IndexedDB; its key ranges come along as a property.
const IDBKeyRangeOf = (indexedDB) => indexedDB.IDBKeyRange ?? globalThis.IDBKeyRange;

/** The same for a browser that keeps nothing: lasts as long as the page. */
export function memoryStorage() {
  const drafts = new Map();
  const photos = new Map();
  const name = (...parts) => JSON.stringify(parts);
  const idsOf = (owner, key) =>
    [...photos.values()].filter((photo) => photo.owner === owner && photo.key === key).map((photo) => photo.id);
  return {
    durable: false,
    get: async (owner, key) => drafts.get(name(owner, key)),
    all: async (owner) => [...drafts.values()].filter((draft) => draft.owner === owner),
    exchange: async (owner, key, change) => {
      const next = change(drafts.get(name(owner, key))) ?? null;
      if (next) drafts.set(name(owner, key), next);
      return next;
    },
    remove: async (owner, key) => {
      drafts.delete(name(owner, key));
      for (const id of idsOf(owner, key)) photos.delete(name(owner, key, id));
    },
    photoIds: async (owner, key) => idsOf(owner, key),
    getPhoto: async (owner, key, id) => photos.get(name(owner, key, id))?.blob,
    putPhoto: async (owner, key, id, blob) => void photos.set(name(owner, key, id), { owner, key, id, blob }),
    removePhoto: async (owner, key, id) => void photos.delete(name(owner, key, id)),
    close: () => {},
  };
}
