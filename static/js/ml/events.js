/**
 * What a shopper did, as models and re-ranker read it. The order of KINDS is the user tower's: search is 0.
 */

export const KINDS = ["search", "view", "favourite", "purchase", "dismissal"];

/** Kinds that say something good about an item. */
export const LIKED = new Set(["view", "favourite", "purchase"]);

const OPINIONS = new Set(["favourite", "dismissal"]);

/**
 * What holds now: of a favourite and a dismissal of one thing the later act replaces the earlier. Nothing is lost by
 * it: taken back, the later one leaves the earlier as it was.
 * @param {object[]} events oldest first
 * @returns {object[]} the same without what was replaced
 */
export function standing(events) {
  const last = new Map(); // item → kind
  for (const { kind, item } of events) if (OPINIONS.has(kind)) last.set(item.id, kind);
  return events.filter(({ kind, item }) => !OPINIONS.has(kind) || last.get(item.id) === kind);
}

export const DAY_MS = 24 * 3600 * 1000;
const HALF_LIFE_DAYS = 14;

/** How much an event of this age still counts: half after two weeks. The one place where this is stated. */
export const decay = (days) => 0.5 ** (Math.max(0, days) / HALF_LIFE_DAYS);

export const ageInDays = (event, now) => Math.max(0, now - event.at) / DAY_MS;
