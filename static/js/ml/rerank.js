/**
 * The last step of ranking, on the device: candidates from the cloud in the order of this shopper, with signals that
 * never leave the device. Pure; no DOM, no storage.
 *
 * item:   {id, title, seller, price, category, published_at, score, vector: Int8Array|null}
 * event:  {kind, at, query?|item?, vector: Int8Array|null}, oldest first (static/js/history.js)
 */
import { ageInDays, decay, LIKED, standing } from "./events.js";
import { DIMENSIONS } from "./vectors.js";
import { AT, COUNT } from "./weights.js";

const LIKED_MOST = 16; // events of a kind that are compared, newest first
const SEARCHES = 8;
const DISMISSED = 8;
const INTERESTS = 4;
const NEW_DAYS = 14;
const LAST_PLACE = Math.log(200); // where the cloud's order says nothing any more
const LIKENESS = 0.5; // a cosine below this is no likeness to something dismissed
const SAME_SELLER_MOST = 2; // items of one seller among any six in a row
const WINDOW = 6;

/**
 * What the history says, worked out once for any number of items.
 * @param {{events: object[], interests?: Float32Array[], now: number, since?: number, me?: string}} known since: what
 *   happened until then is known to the cloud's order and must not count twice; 0 for an order that is the same for
 *   everybody; me: the shopper's own shop
 */
export function readHistory({ events: all, interests = [], now, since = 0, me = "" }) {
  const events = standing(all);
  const newest = [...events].reverse();
  const liked = newest.filter((event) => LIKED.has(event.kind));
  const searches = newest.filter((event) => event.kind === "search");
  const dismissed = newest.filter((event) => event.kind === "dismissal");
  const share = (name) => {
    const sums = new Map();
    for (const event of liked) add(sums, event.item[name], decay(ageInDays(event, now)));
    const most = Math.max(1, ...sums.values());
    for (const [key, sum] of sums) sums.set(key, sum / most);
    return sums;
  };
  const prices = new Map(); // category → [sum of weight, sum of weight * log(price)]
  for (const { item, ...event } of liked) {
    if (!(item.price > 0)) continue;
    const [weight, sum] = prices.get(item.category) ?? [0, 0];
    const more = decay(ageInDays(event, now));
    prices.set(item.category, [weight + more, sum + more * Math.log(item.price)]);
  }
  const seen = new Map();
  for (const event of liked) if (!seen.has(event.item.id)) seen.set(event.item.id, decay(ageInDays(event, now)));
  const compared = (rows, most) => rows.filter((event) => event.vector).slice(0, most).map((event) => ({ event, isNew: event.at > since, ...unit(event, now) }));
  return {
    liked: compared(liked, LIKED_MOST),
    searches: compared(searches, SEARCHES),
    dismissed: compared(dismissed, DISMISSED),
    interests: interests.slice(0, INTERESTS),
    sellers: share("seller"),
    categories: share("category"),
    prices,
    // The order is for somebody of whom these events were not known: the more there are, the less it says.
    trust: since > 0 ? 1 / (1 + events.filter((event) => event.at > since).length) : 1,
    seen,
    // Never offered: bought already, not wanted, or one's own.
    hidden: new Set(events.filter(({ kind }) => kind === "dismissal" || kind === "purchase").map(({ item }) => item.id)),
    // For the reasons: what was looked at, once for each event, and what nothing may be said to be like.
    looked: liked.map(({ item: { id, seller, category } }) => ({ id, seller, category })),
    unwanted: new Set(dismissed.map(({ item }) => item.id)),
    me,
    now,
    hasTaste: liked.length > 0 || searches.length > 0,
  };
}

function add(sums, key, amount) {
  if (key) sums.set(key, (sums.get(key) ?? 0) + amount);
}

const unit = (event, now) => ({ vector: toUnit(event.vector), weight: decay(ageInDays(event, now)) });

// Items and events are bytes; scaled to length 1 once, so that the loops below are plain dot products.
function toUnit(bytes) {
  const floats = new Float32Array(DIMENSIONS);
  write(floats, 0, bytes);
  return floats;
}

function write(floats, offset, bytes) {
  let squares = 0;
  for (let at = 0; at < DIMENSIONS; at += 1) squares += bytes[at] * bytes[at];
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  for (let at = 0; at < DIMENSIONS; at += 1) floats[offset + at] = bytes[at] * scale;
}

/**
 * A set of candidates, packed once; score() may then be asked at every click. Items without a vector keep their place
 * among the others by what is known without one.
 * @param {object[]} items in the cloud's order, best first
 */
export function createRanker(items) {
  const count = items.length;
  const vectors = new Float32Array(count * DIMENSIONS);
  const signals = new Float32Array(count * COUNT);
  const scores = new Float32Array(count);
  const base = new Float32Array(count);
  const logPrices = new Float32Array(count);
  const published = new Float64Array(count);
  items.forEach((item, at) => {
    if (item.vector) write(vectors, at * DIMENSIONS, item.vector);
    // Ranks, not scores: sources score on different scales. From one place to twice as far down is the same step.
    base[at] = Math.max(0, 1 - Math.log(at + 1) / LAST_PLACE);
    logPrices[at] = item.price > 0 ? Math.log(item.price) : NaN;
    published[at] = Date.parse(item.published_at ?? "");
  });

  /** Fill `signals` and `scores`; no object is made in here. */
  function score(history, weights) {
    const lastId = history.liked[0]?.event.item.id;
    const isLastNew = history.liked[0]?.isNew === true;
    for (let at = 0; at < count; at += 1) {
      const from = at * DIMENSIONS;
      const to = at * COUNT;
      const item = items[at];
      signals[to + AT.server] = base[at] * history.trust;
      signals[to + AT.interest] = closest(vectors, from, history.interests);
      signals[to + AT.recent] = best(vectors, from, history.liked, item.id);
      signals[to + AT.last] = isLastNew && lastId !== item.id ? positive(vectors, from, history.liked[0].vector) * history.liked[0].weight : 0;
      signals[to + AT.searched] = best(vectors, from, history.searches, "");
      signals[to + AT.seller] = history.sellers.get(item.seller) ?? 0;
      signals[to + AT.category] = history.categories.get(item.category) ?? 0;
      signals[to + AT.price] = closeness(logPrices[at], history.prices.get(item.category));
      signals[to + AT.fresh] = published[at] > 0 ? 0.5 ** ((history.now - published[at]) / (NEW_DAYS * 86400000)) : 0;
      if (signals[to + AT.fresh] > 1) signals[to + AT.fresh] = 1;
      signals[to + AT.seen] = history.seen.get(item.id) ?? 0;
      best(vectors, from, history.dismissed, "");
      const unwanted = mostOfAll;
      signals[to + AT.likeDismissed] = unwanted > LIKENESS ? (unwanted - LIKENESS) / (1 - LIKENESS) : 0;
      let sum = 0;
      for (let each = 0; each < COUNT; each += 1) sum += weights[each] * signals[to + each];
      scores[at] = sum;
    }
    return scores;
  }

  /**
   * @returns {Array<{item: object, index: number, score: number, signals: Float32Array}>} best first, without what is
   *   not offered to this shopper
   */
  function rank(history, weights) {
    score(history, weights);
    const offered = [];
    items.forEach((item, index) => {
      if (history.hidden.has(item.id) || (history.me && item.seller === history.me)) return;
      offered.push({ item, index, score: scores[index], signals: signals.slice(index * COUNT, (index + 1) * COUNT) });
    });
    offered.sort((a, b) => b.score - a.score || a.index - b.index);
    return offered;
  }

  return { score, rank, signals, count };
}

let mostOfAll = 0; // a second answer of best(), so that no object is made in there

/** The highest decayed cosine above 0 to any of the new `others`; `mostOfAll` is that to any of them. */
function best(vectors, from, others, exceptId) {
  let ofNew = 0;
  mostOfAll = 0;
  for (let other = 0; other < others.length; other += 1) {
    const { vector, weight, event, isNew } = others[other];
    if (exceptId !== "" && event.item.id === exceptId) continue;
    const value = dot(vectors, from, vector) * weight;
    if (isNew && value > ofNew) ofNew = value;
    if (value > mostOfAll) mostOfAll = value;
  }
  return ofNew > 1 ? 1 : ofNew;
}

function closest(vectors, from, others) {
  let most = 0;
  for (const other of others) {
    const value = dot(vectors, from, other);
    if (value > most) most = value;
  }
  return most > 1 ? 1 : most;
}

// Four sums side by side: a third of the time.
function dot(vectors, from, vector) {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let at = 0; at < DIMENSIONS; at += 4) {
    a += vectors[from + at] * vector[at];
    b += vectors[from + at + 1] * vector[at + 1];
    c += vectors[from + at + 2] * vector[at + 2];
    d += vectors[from + at + 3] * vector[at + 3];
  }
  return a + b + c + d;
}

function positive(vectors, from, vector) {
  const value = dot(vectors, from, vector);
  return value > 0 ? value : 0;
}

// 1 at the usual price of that category, half at about twice or half of it.
function closeness(logPrice, usual) {
  if (usual === undefined || Number.isNaN(logPrice)) return 0;
  return Math.exp(-Math.abs(logPrice - usual[1] / usual[0]));
}

/** The same order, but not more than two of any six in a row from one seller where others are to be had. */
export function spread(ranked) {
  const left = [...ranked];
  const spreadOut = [];
  while (left.length > 0) {
    const before = spreadOut.slice(1 - WINDOW).map(({ item }) => item.seller);
    const isFine = ({ item }) => before.filter((seller) => seller === item.seller).length < SAME_SELLER_MOST;
    const next = left.findIndex(isFine);
    spreadOut.push(...left.splice(Math.max(0, next), 1));
  }
  return spreadOut;
}
