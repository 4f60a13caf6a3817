/**
 * What the re-ranker weighs, and how it learns on this device: a few weights, a small step at each click and dismissal.
 * They stay within BOUND of where they began and are pulled back there, so that one odd afternoon does not last.
 */

/**
 * Signals by number; `start` is the weight that everybody begins with, `about` how the privacy page names it.
 * The first five are
 * fitted to what people opened next (models/recipes/reranker/fit.mjs), of the others the data says nothing.
 * All signals lie in 0..1 (`seen` and `likeDismissed` count against an item: their weights lie below 0).
 */
export const SIGNALS = [
  { name: "server", start: 6.5, about: "How the market ranks it for everybody" },
  { name: "interest", start: 2.5, about: "Close to one of your interests" },
  { name: "recent", start: 2, about: "Like something you looked at" },
  { name: "last", start: 0.2, about: "Like the last thing you opened" },
  { name: "searched", start: 12, about: "Fits what you searched for" },
  { name: "seller", start: 0.5, about: "From a seller you looked at" },
  { name: "category", start: 0.3, about: "In a category you look around in" },
  { name: "price", start: 0.2, about: "Near the prices you look at" },
  { name: "fresh", start: 0.3, about: "Newly listed" },
  { name: "seen", start: -3.0, about: "You have seen it already" },
  { name: "likeDismissed", start: -5, about: "Like something you were not interested in" },
];

export const COUNT = SIGNALS.length;
export const AT = Object.fromEntries(SIGNALS.map(({ name }, index) => [name, index]));
const STEP = 0.3;
const PULL = 0.01; // of the way back, at each step
const BOUND = 2;

export const startWeights = () => SIGNALS.map(({ start }) => start);

/** @returns {number[]} weights as kept, or those at the start when what was kept does not fit */
export function readWeights(kept) {
  const fits = Array.isArray(kept) && kept.length === COUNT && kept.every(Number.isFinite);
  return fits ? bounded(kept) : startWeights();
}

/**
 * One gradient step of the pairwise logistic loss log(1 + exp(-(w·better - w·worse))), averaged over the pairs.
 * @param {number[]} kept weights, or null at the beginning
 * @param {Array<[ArrayLike<number>, ArrayLike<number>]>} pairs signals of what was preferred and of what was not
 * @returns {number[]} new weights
 */
export function learn(kept, pairs) {
  const weights = readWeights(kept);
  const usable = pairs.filter(([better, worse]) => better?.length === COUNT && worse?.length === COUNT);
  if (usable.length === 0) return weights;
  const gradient = new Float64Array(COUNT);
  for (const [better, worse] of usable) {
    let margin = 0;
    for (let at = 0; at < COUNT; at += 1) margin += weights[at] * (better[at] - worse[at]);
    const push = 1 / (1 + Math.exp(margin)) / usable.length;
    for (let at = 0; at < COUNT; at += 1) gradient[at] += push * (better[at] - worse[at]);
  }
  return bounded(weights.map((weight, at) => weight + STEP * gradient[at] - PULL * (weight - SIGNALS[at].start)));
}

function bounded(weights) {
  return weights.map((weight, at) => {
    const { start } = SIGNALS[at];
    const [low, high] = start > 0 ? [Math.max(0, start - BOUND), start + BOUND] : [start - BOUND, Math.min(0, start + BOUND)]; // a signal never turns into its opposite
    return Math.min(high, Math.max(low, Number.isFinite(weight) ? weight : start));
  });
}

/** @returns {Array<{about: string, words: string, start: number, now: number}>} what was learned, for people */
export function inWords(kept) {
  const weights = readWeights(kept);
  return SIGNALS.map(({ about, start }, at) => {
    const change = Math.abs(weights[at]) - Math.abs(start);
    const much = Math.abs(change) < 0.02 ? "" : Math.abs(change) < 0.15 ? "a little " : Math.abs(change) < 0.4 ? "" : "much ";
    const words = Math.abs(change) < 0.02 ? "unchanged" : `${much}${change > 0 ? "more" : "less"}`;
    return { about, words, start, now: weights[at] };
  });
}
