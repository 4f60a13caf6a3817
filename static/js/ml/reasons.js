/**
 * "Why am I seeing this": the signal that lifted an item most above its neighbours, in words. Worked out on the device
 * from the very numbers that ranked it, so the sentence is never nicer than the truth.
 */
import { AT, COUNT } from "./weights.js";

const SAID = { view: "you looked at", favourite: "you marked as a favourite", purchase: "you bought" };
// Where nothing of this shopper's own lifts it, where it came from says why. Search results need no reason.
const OF_SOURCE = { nearest: "Close to what you have been looking for", popular: "Popular now" };
const LEAST = 0.15; // a lift below this explains nothing
const LIKENESS = 0.4; // nothing is said to be like something else below this cosine
const NEW_FROM = 0.8; // "fresh" of about four days and a half

/**
 * @param {object} entry of rank()
 * @param {Float32Array} mean average signals of all that were ranked with it
 * @param {number[]} weights
 * @param {object} history of readHistory()
 * @param {{source: string, category?: (id: string) => string}} context where the candidates came from
 * @returns {string}
 */
export function reason(entry, mean, weights, history, { source, category = (id) => id }) {
  const liked = history.liked[entry.liked]?.event;
  const search = history.searches[entry.search]?.event;
  const like = liked ? `Like “${shortened(liked.item.title)}”, which ${SAID[liked.kind]}` : "";
  const last = history.liked[0]?.event;
  const said = {
    [AT.interest]: like || (search ? `You searched for “${shortened(search.query)}”` : ""),
    [AT.recent]: like,
    [AT.last]: last ? `Like “${shortened(last.item.title)}”, which ${SAID[last.kind]}` : "",
    [AT.searched]: search ? `You searched for “${shortened(search.query)}”` : "",
    [AT.seller]: "From a seller whose things you looked at",
    [AT.category]: `In ${category(entry.item.category)}, where you look around`,
    [AT.price]: "Near the prices you look at",
    [AT.fresh]: "New",
  };
  for (const at of [AT.interest, AT.recent, AT.last, AT.searched]) if (entry.signals[at] < LIKENESS) said[at] = "";
  let best = -1;
  let most = LEAST;
  for (const at of Object.keys(said).map(Number)) {
    const lift = weights[at] * (entry.signals[at] - mean[at]);
    if (said[at] && lift > most && (at !== AT.fresh || entry.signals[at] >= NEW_FROM)) [best, most] = [at, lift];
  }
  if (best >= 0) return said[best];
  if (!(source in OF_SOURCE)) return "";
  return entry.signals[AT.fresh] >= NEW_FROM && source !== "nearest" ? "New" : OF_SOURCE[source];
}

/** Mean of each signal over what was ranked together. */
export function meanSignals(ranked) {
  const mean = new Float32Array(COUNT);
  for (const { signals } of ranked) for (let at = 0; at < COUNT; at += 1) mean[at] += signals[at] / ranked.length;
  return mean;
}

const shortened = (text) => ([...text].length > 40 ? `${[...text].slice(0, 38).join("").trimEnd()}…` : text);
