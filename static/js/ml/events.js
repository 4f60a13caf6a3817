/**
 * What a shopper did, as models and re-ranker read it. The order of KINDS is the user tower's: search is 0.
 */

export const KINDS = ["search", "view", "favourite", "purchase", "dismissal"];

/** Kinds that say something good about an item. */
export const LIKED = new Set(["view", "favourite", "purchase"]);

export const DAY_MS = 24 * 3600 * 1000;
const HALF_LIFE_DAYS = 14;

/** How much an event of this age still counts: half after two weeks. The one place where this is stated. */
export const decay = (days) => 0.5 ** (Math.max(0, days) / HALF_LIFE_DAYS);

export const ageInDays = (event, now) => Math.max(0, now - event.at) / DAY_MS;
