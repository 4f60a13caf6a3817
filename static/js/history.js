/**
 * What a shopper did on this device: searches, views, favourites, purchases, dismissals, signed in or not. Never sent
 * anywhere by this file. Beside it, in the same database: the ledger of what other files sent, the switches, and what
 * the re-ranker learned. No DOM. Nothing here throws at the page: where the device keeps nothing (IndexedDB is
 * blocked, silent, full, or of a newer version of the site) it goes on in memory until the page is left.
 */
import { deleteStorage, deviceStorage, EVENTS, LEDGER, memoryStorage, NOTES, POOL } from "./history_storage.js";
import { DAY_MS, KINDS } from "./ml/events.js";
import { DIMENSIONS } from "./ml/vectors.js";

export const MAX_EVENTS = 500;
const MAX_AGE_MS = 365 * DAY_MS;
const SAME_WITHIN_MS = 30 * 60 * 1000; // a reload, or back and forth: one event, at its latest time
const MAX_SENT = 1000;
const TEXT_CHARS = 300;
const CHANNEL = "marketplace-history";
const EVERYTHING = [EVENTS, LEDGER, NOTES, POOL];

const SETTINGS = "settings";
const ERASURES = "erasures"; // a number, all that an erasure leaves
const START = {
  paused: false, // nothing is recorded
  resort: true, // search results in this shopper's order
  noise: 0, // length of what is added to a vector before it is sent
  server: false, // consent: the server may work out interests where this device cannot
};

/**
 * @param {{indexedDB?: IDBFactory|null, channel?: BroadcastChannel|null, now?: () => number, waitMs?: number}} options
 *   indexedDB: null asks for memory; waitMs: how long the browser may take to open it
 */
export async function openHistory({ indexedDB, channel = openChannel(), now = Date.now, waitMs } = {}) {
  let database = null;
  let storage;
  try {
    // Reading the global may throw by itself where storage is blocked.
    database = indexedDB === undefined ? globalThis.indexedDB : indexedDB;
    storage = await deviceStorage(database, waitMs);
  } catch {
    storage = memoryStorage();
  }
  const tab = crypto.randomUUID();
  let room = null; // promise: older events made room, once for a page
  let falling = null; // promise: memory took the place of the disk
  const listeners = new Set();

  channel?.addEventListener("message", ({ data }) => {
    if (data && data.tab !== tab) for (const hear of listeners) hear(data.what);
  });
  /** Other tabs and this one's own listeners are told; what: "events", "settings", "weights", "ledger", "erased". */
  function tell(what) {
    try {
      channel?.postMessage({ tab, what });
    } catch {
      // A closed channel: other tabs read again when they are looked at.
    }
    for (const hear of listeners) hear(what);
  }

  async function read(store) {
    try {
      return await storage.read(store);
    } catch {
      await fallBack();
      return storage.read(store);
    }
  }

  /** Write; when the disk is full make room once; else go on in memory. What goes wrong in `change` itself is thrown. */
  async function edit(stores, change) {
    let mistake = null;
    const tried = (rows) => {
      try {
        return change(rows);
      } catch (error) {
        mistake = error;
        throw error;
      }
    };
    try {
      return await storage.edit(stores, tried);
    } catch (error) {
      if (mistake) throw mistake;
      if (isFull(error) && (await (room ??= makeRoom()))) {
        try {
          return await storage.edit(stores, tried);
        } catch {
          // Still full: somebody else fills the disk.
        }
      }
      await fallBack();
      return storage.edit(stores, tried);
    }
  }

  async function makeRoom() {
    try {
      await storage.edit([EVENTS, POOL], (rows) => {
        const oldest = byAge(rows[EVENTS]).slice(0, Math.ceil(rows[EVENTS].length / 2));
        return { remove: { [EVENTS]: oldest.map(({ id }) => id), [POOL]: rows[POOL].map(({ name }) => name) } };
      });
      return true;
    } catch {
      return false;
    }
  }

  /** Once, for all that wait for it: a second copy would forget what the first was given meanwhile. */
  function fallBack() {
    falling ??= (async () => {
      if (!storage.durable) return;
      const broken = storage;
      const rows = {};
      for (const store of EVERYTHING) rows[store] = await broken.read(store).catch(() => []);
      storage = memoryStorage(rows);
      broken.close();
    })();
    return falling;
  }

  /**
   * @param {{kind: string, query?: string, item?: object, vector?: Int8Array|null, space?: string}} event
   *   item: {id, title, url, price, currency, photo, seller, category}; space: which towers made the vector
   * @returns {Promise<number|null>} the event's id; null when nothing was recorded
   */
  async function record(event) {
    const made = clean(event, now());
    if (!made) return null;
    const id = await edit([EVENTS, NOTES], (rows) => {
      if (settingsIn(rows[NOTES]).paused) return { result: null };
      const earlier = byAge(rows[EVENTS]).reverse();
      const same = earlier.find((row) => made.at - row.at < SAME_WITHIN_MS && isSame(row, made));
      const row = same ? { ...same, ...made, vector: made.vector ?? same.vector, space: made.vector ? made.space : same.space } : made;
      row.id = same?.id ?? 1 + rows[EVENTS].reduce((most, { id: other }) => Math.max(most, other), 0);
      const tooMany = earlier.filter((other, at) => at >= MAX_EVENTS - (same ? 0 : 1) || made.at - other.at > MAX_AGE_MS);
      const remove = tooMany.map(({ id: other }) => other).filter((other) => other !== row.id);
      return { put: { [EVENTS]: [row] }, remove: { [EVENTS]: remove }, result: row.id };
    });
    if (id !== null) tell("events");
    return id;
  }

  /** A vector that was worked out after its event; nothing when the event was erased meanwhile. */
  async function addVector(id, vector, space) {
    if (!isVector(vector)) return;
    await edit([EVENTS], (rows) => {
      const row = rows[EVENTS].find((event) => event.id === id);
      return row ? { put: { [EVENTS]: [{ ...row, vector, space }] } } : {};
    });
    tell("events");
  }

  /** Take back what was said about an item: a favourite, a dismissal. */
  async function forget(kind, itemId) {
    await edit([EVENTS], (rows) => {
      const found = rows[EVENTS].filter((event) => event.kind === kind && event.item?.id === itemId);
      return { remove: { [EVENTS]: found.map(({ id }) => id) } };
    });
    tell("events");
  }

  /** @returns {Promise<object[]>} oldest first */
  const events = async () => byAge((await read(EVENTS)).filter((event) => now() - event.at <= MAX_AGE_MS));

  /**
   * Something is about to be sent. `what`: its kind and number in words, never the content.
   * @param {{endpoint: string, bytes: number, what: string, mustLast?: boolean}} sent mustLast: it says something of
   *   the person, so it may only go where the line outlives the page
   * @returns {Promise<boolean>} false: no line was written, and it must not go
   */
  async function noteSent({ endpoint, bytes, what, mustLast = false }) {
    const at = now();
    const isNoted = await edit([LEDGER], (rows) => {
      if (mustLast && !storage.durable) return { result: false };
      const all = byAge(rows[LEDGER]);
      const id = 1 + all.reduce((most, row) => Math.max(most, row.id), 0);
      // The oldest lines become one sum: no byte is lost from the account.
      const old = all.length < MAX_SENT ? [] : all.slice(0, all.length + 2 - MAX_SENT);
      const put = [{ id, at, endpoint, bytes, what }];
      if (old.length > 0) put.push(summed(old));
      return { put: { [LEDGER]: put }, remove: { [LEDGER]: old.map((row) => row.id) }, result: true };
    });
    if (isNoted) tell("ledger");
    return isNoted;
  }

  async function note(name) {
    return (await read(NOTES)).find((row) => row.name === name)?.value ?? null;
  }

  /** How often everything was erased here, in whatever tab. What was worked out before must not be kept after. */
  const erasures = async () => erasuresIn(await read(NOTES));

  /**
   * @param {(value: any) => any} change of a note, in one transaction
   * @param {number} [erased] erasures() when the work on it began
   * @returns {Promise<any>} the new value; null when there was an erasure meanwhile
   */
  async function changeNote(name, change, erased) {
    return edit([NOTES], (rows) => {
      if (erased !== undefined && erasuresIn(rows[NOTES]) !== erased) return { result: null };
      const value = change(rows[NOTES].find((row) => row.name === name)?.value ?? null);
      return { put: { [NOTES]: [{ name, value }] }, result: value };
    });
  }

  async function set(changes) {
    await changeNote(SETTINGS, (value) => ({ ...START, ...value, ...pick(changes, Object.keys(START)) }));
    tell("settings");
  }

  /** The weights change while the history may be erased in another tab: then they begin anew there. */
  async function learn(change) {
    const isPaused = (await settings()).paused;
    if (isPaused) return note("weights");
    const weights = await changeNote("weights", change);
    tell("weights");
    return weights;
  }

  const settings = async () => settingsIn(await read(NOTES));
  const pool = async () => (await read(POOL)).find((row) => row.name === "pool")?.value ?? null;

  async function exported() {
    const [all, sent] = [await events(), byAge(await read(LEDGER))];
    const held = await pool();
    const plain = ({ vector, ...event }) => ({ ...event, at: iso(event.at), vector: vector ? [...vector] : null });
    return {
      made: iso(now()),
      about: "Everything that this market keeps in this browser about what you looked at, and what it worked out from it.",
      events: all.map(plain),
      sent: sent.map((row) => ({ ...row, at: iso(row.at) })),
      weights: await note("weights"),
      interests: await note("interests"),
      candidates: held?.items ?? [],
      asked: held ? { at: iso(held.at), vectors: held.asked } : null,
      blurs: await note("blurs"),
      settings: await settings(),
    };
  }

  /**
   * Everything goes: events, what was learned, the ledger, candidates. Only "paused" stays as it was, and that there was an erasure.
   * @returns {Promise<boolean>} false when the device would not let go of what an earlier visit left there
   */
  async function erase() {
    let isGone = true;
    await edit(EVERYTHING, (rows) => {
      const { paused } = settingsIn(rows[NOTES]);
      const remove = { [EVENTS]: keys(rows[EVENTS], "id"), [LEDGER]: keys(rows[LEDGER], "id") };
      for (const store of [NOTES, POOL]) remove[store] = keys(rows[store], "name");
      const kept = [{ name: ERASURES, value: erasuresIn(rows[NOTES]) + 1 }];
      if (paused) kept.push({ name: SETTINGS, value: { ...START, paused } });
      return { remove, put: { [NOTES]: kept } };
    });
    if (!storage.durable && database) isGone = await deleteStorage(database).then(() => true, () => false);
    tell("erased");
    return isGone;
  }

  return {
    get durable() {
      return storage.durable;
    },
    record,
    addVector,
    forget,
    events,
    noteSent,
    ledger: async () => byAge(await read(LEDGER)).reverse(),
    note,
    erasures,
    keepNote: (name, value, erased) => changeNote(name, () => value, erased),
    learn,
    settings,
    set,
    pool,
    keepPool: (value, erased) =>
      edit([POOL, NOTES], (rows) => (erased !== undefined && erasuresIn(rows[NOTES]) !== erased ? {} : { put: { [POOL]: [{ name: "pool", value }] } })),
    exported,
    erase,
    /** hear(what) at every change, here or in another tab. @returns {() => void} to hear no more */
    watch(hear) {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
    close: () => {
      channel?.close();
      storage.close();
    },
  };
}

function clean({ kind, query, item, vector = null, space = "" }, at) {
  if (!KINDS.includes(kind)) return null;
  const event = { kind, at, vector: isVector(vector) ? vector : null, space: text(space) };
  if (kind === "search") return text(query).trim() ? { ...event, query: text(query).trim() } : null;
  if (!text(item?.id)) return null;
  const { id, title, url, photo, seller, category, currency } = item;
  const words = { id, title, url, photo, seller, category, currency };
  for (const name of Object.keys(words)) words[name] = text(words[name]);
  return { ...event, item: { ...words, price: Number.isFinite(Number(item.price)) ? Number(item.price) : null } };
}

const text = (value) => (typeof value === "string" ? value.slice(0, TEXT_CHARS) : "");
const isVector = (value) => value instanceof Int8Array && value.length === DIMENSIONS;
const byAge = (rows) => [...rows].sort((a, b) => a.at - b.at || a.id - b.id);
const isSame = (a, b) => a.kind === b.kind && (a.kind === "search" ? a.query === b.query : a.item.id === b.item.id);
const erasuresIn = (notes) => notes.find((row) => row.name === ERASURES)?.value ?? 0;
const settingsIn = (notes) => ({ ...START, ...notes.find((row) => row.name === SETTINGS)?.value });
const pick = (values, names) => Object.fromEntries(names.filter((name) => name in values).map((name) => [name, values[name]]));
const keys = (rows, key) => rows.map((row) => row[key]);
const iso = (at) => new Date(at).toISOString();

function summed(rows) {
  const requests = rows.reduce((sum, row) => sum + (row.requests ?? 1), 0);
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  const { id, at } = rows.at(-1);
  return { id, at, endpoint: "", bytes, requests, what: `${requests} earlier requests together` };
}

function openChannel() {
  try {
    return new BroadcastChannel(CHANNEL);
  } catch {
    return null;
  }
}

function isFull(error) {
  return error?.name === "QuotaExceededError" || error?.inner?.name === "QuotaExceededError";
}
