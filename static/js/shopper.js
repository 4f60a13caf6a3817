/**
 * One shopper on one device: the history, what the re-ranker learned, the interests, and the candidates that came from
 * the cloud. What is sent is decided here and noted in the ledger: a few vectors, and nothing that names anybody or
 * anything. No DOM.
 */
import { ageInDays, standing } from "./ml/events.js";
import { createRanker, readHistory, spread } from "./ml/rerank.js";
import { meanSignals, reason } from "./ml/reasons.js";
import { cosine, fromBase64, quantize, toBase64, toUnit, withNoise } from "./ml/vectors.js";
import { AT, learn, readWeights } from "./ml/weights.js";

export const FIRST = 60; // candidates in the first request
export const MANY = 200; // once somebody may want to see more
const POOL_MS = 15 * 60 * 1000; // older candidates may have been sold
const MOVED = 0.9; // an interest is another one below this cosine to all that were asked with
const REREAD = 32; // newest events whose missing vectors are worked out
const RESULTS = 2; // how many times as much the order for everybody counts for what was searched for
const WAIT_MS = 8000;
const BLURS = "blurs";
const MOST_BLURS = 64;
const SAME_BLUR = 0.95; // cosine; interests move a little at every event
const CANNOT = new Set(["runtime", "insecure", "worker", "too-slow"]); // of a device; others pass

/**
 * @param {{history: object, client: object|null, url: string, me?: string, query?: string, space?: string, categoryName?: (id: string) => string,
 *   fetcher?: typeof fetch, now?: () => number, random?: () => number}} options
 *   me: the shopper's own shop; query: what this page answers; space: that of the vectors on this page, "" when there are none
 */
export function createShopper(options) {
  const { history, client, url, me = "", query = "", categoryName = (id) => id } = options;
  const { fetcher = (...request) => fetch(...request), now = Date.now, random = Math.random } = options;
  const ofPage = options.space ?? ""; // of the vectors that stand in the page
  let space = ofPage;
  let [events, weights, interests, settings, pool] = [[], readWeights(null), [], null, null];
  const tastes = new Map(); // source → readHistory() of the above
  let rankers = new WeakMap(); // list of items → the same packed, so that a click only scores
  let offered = { at: null, items: [] };
  let asking = null;
  let cannot = client === null; // this device runs no towers
  let knownUpTo = 0; // the newest event that the interests know

  /** Read what lies on the device, as it is now. */
  async function load() {
    const [kept, rows, learned, set, held] = await Promise.all([history.note("interests"), history.events(), history.note("weights"), history.settings(), history.pool()]);
    [events, weights, settings, pool] = [standing(rows), readWeights(learned), set, held];
    useSpace(space || (kept?.space ?? pool?.space ?? ""));
    knownUpTo = kept?.upTo ?? 0;
    interests = kept && kept.space === space ? kept.vectors.map(fromBase64).filter(Boolean).map(toUnit) : [];
    tastes.clear();
  }

  function useSpace(other) {
    if (other === space) return;
    space = other;
    rankers = new WeakMap();
    offered = { at: null, items: [] };
    tastes.clear();
  }

  /** The same item, without its vector when that is of other towers: two spaces never meet. */
  const comparable = (item) => (!item.vector || (item.space ?? ofPage) === space ? item : { ...item, vector: null });

  /** What the history says beside what the order of items from this source knows already. */
  function taste(source = "") {
    if (tastes.has(source)) return tastes.get(source);
    const inSpace = (event) => (event.vector && event.space !== space ? { ...event, vector: null } : event);
    const isAsked = (event) => source === "search" && event.kind === "search" && event.query === query;
    const since = source === "nearest" ? (pool?.upTo ?? 0) : 0;
    // Paused: as if nothing were known.
    const known = settings?.paused ? [] : events.filter((event) => !isAsked(event)).map(inSpace);
    const mine = readHistory({ events: known, interests: settings?.paused ? [] : interests, now: now(), since, me });
    tastes.set(source, mine);
    return mine;
  }

  /**
   * Items in this shopper's order, without those that are not for them. `source`: where they came from; "search" for
   * results, whose order for everybody counts for more.
   * @returns {Array<{item: object, signals: Float32Array, why: string}>}
   */
  function rank(items, source) {
    const mine = taste(source);
    const isForAll = !mine.hasTaste;
    const used = weights.map((weight, at) => (at === AT.server ? weight * (source === "search" ? RESULTS : 1) : isForAll ? 0 : weight));
    if (!rankers.has(items)) rankers.set(items, createRanker(items.map(comparable)));
    const ranked = rankers.get(items).rank(mine, used);
    const mean = meanSignals(ranked);
    const named = { source, category: categoryName };
    const answer = ranked.map((entry) => ({ item: entry.item, signals: entry.signals, why: reason(entry, mean, used, mine, named) }));
    return isForAll || source !== "nearest" ? answer : spread(answer);
  }

  // --- what happened
  async function note(event) {
    const id = await history.record(event);
    await load();
    return id;
  }

  async function undo(kind, itemId) {
    await history.forget(kind, itemId);
    await load();
  }

  /** @param {Array<[number[], number[]]>} pairs signals of what was preferred and of what was not */
  async function learnFrom(pairs) {
    if (pairs.length === 0) return;
    await history.learn((kept) => learn(kept, pairs));
    await load();
  }

  // --- candidates
  const isFresh = () => pool !== null && now() - pool.at < POOL_MS && pool.at <= now();

  /** What is held now: {items, source}, or null; items carry their vectors. Paused: none that were asked for with vectors. */
  function candidates() {
    if (!isFresh() || (settings?.paused && (pool.asked.length > 0 || pool.stamp !== ""))) return null;
    if (offered.at !== pool.at) offered = { at: pool.at, items: pool.items.map((item) => withVector(item, pool.space)) };
    return { items: offered.items, source: pool.source };
  }

  /**
   * Bring interests and candidates up to date, if there is need. Never rejects.
   * @param {{many?: boolean, anew?: boolean}} wanted many: enough for several pages; anew: even if nothing changed
   * @returns {Promise<"fresh"|"new"|"offline"|"failed">} "new": candidates() has others now
   */
  function renew(wanted = {}) {
    asking = (asking ?? Promise.resolve()).then(() => renewNow(wanted)).catch(() => "failed");
    return asking;
  }

  async function renewNow({ many = false, anew = false }) {
    await load();
    const before = await history.erasures();
    // Of what says something of the person there must be a line in the ledger that outlives the page.
    const isMute = settings.paused || !history.durable;
    const found = isMute ? [] : await currentInterests(before);
    const given = found.length === 0 && cannot && settings.server && !isMute ? lastEvents() : [];
    const upTo = given.length > 0 ? given.at(-1).at : knownUpTo;
    const stamp = given.length > 0 ? stampOf(events) : "";
    const limit = many ? MANY : Math.min(MANY, Math.max(FIRST, isFresh() ? pool.limit : 0));
    const isEnough = isFresh() && (pool.space === space || space === "") && pool.limit >= limit && !anew && !moved(found, pool.asked.map(fromBase64)) && pool.stamp === stamp;
    if (isEnough) return "fresh";
    const blurred = await blurs([...found, ...given.map((event) => event.vector)], before);
    const sent = blurred.slice(0, found.length);
    const told = given.map((event, at) => ({ kind: event.kind, age: Math.round(10 * ageInDays(event, now())) / 10, vector: toBase64(blurred[found.length + at]) }));
    // All that took its time. Whoever paused or erased meanwhile has said that nothing shall go.
    if (sent.length + told.length > 0 && ((await history.erasures()) !== before || (await history.settings()).paused)) return "fresh";
    const answer = await ask(sent, told, limit);
    if (answer.status !== "ok") return answer.status;
    const asked = found.map((vector) => toBase64(quantize(vector)));
    await history.keepPool({ at: now(), space: answer.space, source: answer.source, items: answer.items, limit, asked, stamp, upTo }, before);
    await load();
    return "new";
  }

  /**
   * What is sent for these vectors. What is nearly the same has the same blur every time: the mean of many would be the
   * vector itself.
   * @param {number} before erasures() when this began
   * @returns {Promise<Int8Array[]>}
   */
  async function blurs(vectors, before) {
    const plain = vectors.map(quantize);
    const { noise } = settings;
    if (!(noise > 0)) return plain;
    const kept = await history.note(BLURS);
    const known = kept?.noise === noise ? kept.pairs.map(([own, sent]) => [fromBase64(own), fromBase64(sent)]) : [];
    const chosen = plain.map((vector) => {
      const near = known.find(([own]) => cosine(own, vector) >= SAME_BLUR);
      if (near) return near[1];
      const sent = quantize(withNoise(vector, noise, random));
      known.push([vector, sent]);
      return sent;
    });
    const pairs = known.slice(-MOST_BLURS).map((pair) => pair.map(toBase64));
    await history.keepNote(BLURS, { noise, pairs }, before);
    return chosen;
  }

  /** @param {object[]} told events, only with consent and where this device has no tower: what goes in place of interests */
  async function ask(vectors, told, limit) {
    const body = JSON.stringify({ model_version: space, vectors: vectors.map(toBase64), limit, ...(told.length > 0 ? { events: told, consent: true } : {}) });
    const what = told.length > 0 ? `vectors of ${counted(told.length, "event")}` : vectors.length === 0 ? "no vector" : counted(vectors.length, "vector");
    // Noted before it goes: a page that is closed meanwhile has sent it all the same.
    const mustLast = vectors.length + told.length > 0;
    if (!(await history.noteSent({ endpoint: url, bytes: new TextEncoder().encode(body).length, what, mustLast }))) return { status: "failed" };
    let response;
    try {
      response = await fetcher(url, {
        method: "POST",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        headers: { Accept: "application/json", "Content-Type": "application/json" },
        body,
        signal: AbortSignal.timeout(WAIT_MS),
      });
    } catch {
      return { status: "offline" };
    }
    try {
      const data = response.ok ? await response.json() : null;
      if (!Array.isArray(data?.items)) return { status: "failed" };
      return { status: "ok", items: data.items.filter(isItem), source: data.source, space: String(data.model_version ?? space) };
    } catch {
      return { status: "failed" };
    }
  }

  /** The interests of the history as it is; those kept are used while nothing was added. */
  async function currentInterests(before) {
    const liked = events.filter((event) => event.kind !== "dismissal");
    if (liked.length === 0 || !client) return interests.length > 0 && liked.length > 0 ? interests : [];
    const stamp = stampOf(events);
    const kept = await history.note("interests");
    if (kept?.stamp === stamp && kept.space === space) return interests;
    const loaded = await client.load("user-tower");
    if (loaded.status !== "ready") {
      cannot = CANNOT.has(loaded.code);
      return interests;
    }
    cannot = false;
    useSpace(loaded.model.space);
    await fillVectors();
    const read = events; // what happens meanwhile is not in the answer
    const given = read.filter((event) => event.vector && event.space === space);
    const answer = await client.interests(given.map((event) => ({ kind: event.kind, vector: event.vector, age: ageInDays(event, now()) })));
    if (answer.status !== "interests") return interests;
    interests = answer.interests;
    knownUpTo = given.at(-1)?.at ?? 0;
    tastes.clear();
    const vectors = interests.map((vector) => toBase64(quantize(vector)));
    if (!(await history.settings()).paused) await history.keepNote("interests", { stamp: stampOf(read), space, vectors, upTo: knownUpTo }, before);
    return interests;
  }

  const lastEvents = () => events.filter((event) => event.vector && event.space === space).slice(-REREAD);

  /** Events whose vector is missing, or of towers that are no more, are read anew: words by the query tower. */
  async function fillVectors() {
    if (!client || settings.paused) return;
    for (const event of events.slice(-REREAD)) {
      if (event.vector && (event.space === space || space === "")) continue;
      const answer = await client.embedQuery(event.query ?? event.item.title);
      if (answer.status !== "vector") break;
      useSpace(answer.space);
      if (answer.vector) await history.addVector(event.id, answer.vector, answer.space);
    }
    await load();
  }

  return {
    load,
    rank,
    undo,
    fillVectors,
    /** @param {number|null} id of note(): what became of it */
    howKept: (id) => ({ isKept: id !== null, isPaused: Boolean(settings?.paused), isLasting: history.durable }),
    noteSearch: (query) => note({ kind: "search", query }),
    learnFrom,
    candidates,
    renew,
    /** @param {"view"|"favourite"|"purchase"|"dismissal"} kind @param {object} item with its vector, or null */
    note: (kind, item) => note({ kind, item, vector: item.vector, space: item.vector ? (item.space ?? ofPage) : "" }),
    isFavourite: (id) => events.some((event) => event.kind === "favourite" && event.item.id === id),
    isDismissed: (id) => !settings?.paused && events.some((event) => event.kind === "dismissal" && event.item.id === id),
    lastView: (id) => events.findLast((event) => event.kind === "view" && event.item.id === id) ?? null,
    /** There is something to go by, but no tower here, and the server was not asked to help. */
    get wantsConsent() {
      return cannot && history.durable && Boolean(settings) && !settings.server && !settings.paused && taste().hasTaste && lastEvents().length > 0;
    },
    get settings() {
      return settings;
    },
    get hasTaste() {
      return taste().hasTaste;
    },
  };
}

/** True when there is an interest that was not asked with. */
export function moved(interests, asked) {
  if (interests.length === 0) return asked.length > 0;
  return interests.some((interest) => !asked.some((other) => other && cosine(interest, other) >= MOVED));
}

const stampOf = (events) => `${events.length}:${events.at(-1).id}:${events.at(-1).at}:${events.filter((event) => event.vector).length}`;
const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const isItem = (item) => typeof item?.id === "string" && typeof item.title === "string" && typeof item.url === "string" && item.url.startsWith("/") && !item.url.startsWith("//");
const withVector = (item, space) => ({ ...item, space, price: Number(item.price), vector: fromBase64(item.vector) });
