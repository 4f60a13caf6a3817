/**
 * "Why am I seeing this": the signal that lifted an item most above its neighbours, in words. Worked out on the device
 * from the very numbers that ranked it, so the sentence is never nicer than the truth.
 */
import { cosine } from "./vectors.js";
import { AT, COUNT } from "./weights.js";

const SAID = { view: "you looked at", favourite: "you marked as a favourite", purchase: "you bought" };
// Where nothing of this shopper's own lifts it, where it came from says why. Search results need no reason.
const POPULAR = "Popular now";
const LOOKS_AROUND = 2; // events in a category, before it is one where somebody looks around
const LEAST = 0.15; // a lift below this explains nothing
const SAYING = [AT.interest, AT.recent, AT.last, AT.searched, AT.seller, AT.category, AT.price, AT.fresh];
// Nothing is said to be like something else, or to fit a search, below these cosines. In the demo catalogue words for a
// thing meet it at 0.4 to 0.56 and hardly anything else above 0.39; of two things of different categories one pair in a
// hundred reaches 0.43, one in a thousand 0.53.
const LIKENESS = 0.5;
const FITTING = 0.4;
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
  const lifts = SAYING.map((at) => [at, weights[at] * (entry.signals[at] - mean[at])]).filter(([, lift]) => lift > LEAST);
  for (const [at] of lifts.sort((a, b) => b[1] - a[1])) {
    const words = said(at, entry, history, category);
    if (words) return words;
  }
  const isNew = entry.signals[AT.fresh] >= NEW_FROM;
  if (source === "nearest") return closeness(entry.item, history) || (isNew ? "New" : unlike(entry.item, history));
  if (source !== "popular") return "";
  return isNew ? "New" : POPULAR;
}

/** What the cloud found by several interests together: said only where one of them can be pointed to. */
function closeness(item, history) {
  if (nearestOf(item, history.searches, history.unwanted)) return "Close to what you have been looking for";
  return nearestOf(item, history.liked, history.unwanted) ? "Like things you have looked at" : "";
}

/** "" where nobody can say: without its vector or any to compare it with, or when it was looked at itself. */
function unlike(item, history) {
  const isKnown = item.vector && history.liked.length + history.searches.length > 0;
  if (!isKnown || history.looked.some(({ id }) => id === item.id)) return "";
  return others(item, history).some(({ category }) => category === item.category) ? "" : "Something different";
}

/** What was looked at beside the item itself, which is no reason for itself. */
const others = (item, history) => history.looked.filter(({ id }) => id !== item.id);

/** What a signal means for this item; "" where that would be nicer than the truth. */
function said(at, { item, signals }, history, category) {
  const like = (events) => {
    const nearest = nearestOf(item, events, history.unwanted);
    return nearest && `Like “${shortened(nearest.item.title)}”, which ${SAID[nearest.kind]}`;
  };
  const search = (events) => {
    const nearest = nearestOf(item, events, history.unwanted);
    return nearest && `You searched for “${shortened(nearest.query)}”`;
  };
  const isNew = (other) => other.isNew;
  const inCategory = others(item, history).filter((other) => other.category === item.category);
  switch (at) {
    case AT.interest:
      return like(history.liked) || search(history.searches);
    case AT.recent:
      return like(history.liked.filter(isNew));
    case AT.last:
      return like(history.liked.slice(0, 1));
    case AT.searched:
      return search(history.searches.filter(isNew));
    case AT.seller:
      return others(item, history).some(({ seller }) => seller === item.seller) ? "From a seller whose things you looked at" : "";
    case AT.category:
      return inCategory.length >= LOOKS_AROUND ? `In ${category(item.category)}, where you look around` : "";
    case AT.price:
      return inCategory.length > 0 ? "Near the prices you look at" : "";
    default:
      return signals[AT.fresh] >= NEW_FROM ? "New" : "";
  }
}

/** The event that the item is most like, if it is like any, other than itself and what was not wanted. */
function nearestOf(item, events, unwanted) {
  if (!item.vector) return null;
  let [found, most] = [null, -1];
  for (const { event } of events) {
    if (event.item && (event.item.id === item.id || unwanted.has(event.item.id))) continue;
    const value = cosine(item.vector, event.vector);
    if (value >= (event.item ? LIKENESS : FITTING) && value > most) [found, most] = [event, value];
  }
  return found;
}

/** Mean of each signal over what was ranked together. */
export function meanSignals(ranked) {
  const mean = new Float32Array(COUNT);
  for (const { signals } of ranked) for (let at = 0; at < COUNT; at += 1) mean[at] += signals[at] / ranked.length;
  return mean;
}

const shortened = (text) => ([...text].length > 40 ? `${[...text].slice(0, 38).join("").trimEnd()}…` : text);
