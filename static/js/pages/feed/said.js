/**
 * What is said about a heart, a dismissal and the order of cards, as it is: whether it was kept, and for how long.
 * Pure.
 *
 * kept: {isKept: boolean, isPaused: boolean, isLasting: boolean}   isLasting: it outlives the page
 */
export const PAUSED = "Not kept: you have paused your history.";
export const FLEETING = "Not kept after this page: this browser does not let us.";
const ORDERED = "The cards below are in a new order.";

/** @returns {string} what a heart or a dismissal still needs said where it can be seen; "" when it is kept */
export function caveat({ isKept, isPaused, isLasting }) {
  if (isKept) return isLasting ? "" : FLEETING;
  return isPaused ? PAUSED : "Not kept.";
}

export const favouriteSaid = (title, kept) => [kept.isKept && `Favourite: ${title}.`, caveat(kept)].filter(Boolean).join(" ");

/** On the card itself. */
export function dismissalCover(kept) {
  if (!kept.isKept) return `Hidden until you leave this page. ${caveat(kept)}`;
  return kept.isLasting ? "Not interested. You will see less like it." : `Not interested. ${FLEETING}`;
}

/** @param {boolean} isMoved other cards changed places */
export function dismissalSaid(title, kept, isMoved) {
  if (!kept.isKept) return `${title}: hidden until you leave this page. ${caveat(kept)}`;
  return [`Not interested in ${title}.`, caveat(kept), isMoved && ORDERED].filter(Boolean).join(" ");
}

/**
 * The sentence of "For you".
 * @param {{isPaused: boolean, hasTaste: boolean, source: string}} shown source: of the cards, as the cloud names it
 */
export function forYouSaid({ isPaused, hasTaste, source }) {
  if (isPaused) return "Your history is paused: this is what everybody sees, popular and new.";
  if (!hasTaste) return "What is popular and new: your device knows nothing of you yet.";
  if (source !== "nearest") return "What is popular and new, sorted by your device from what you look at here.";
  return "Chosen by your device from what you look at here.";
}

/** @param {"fresh"|"new"|"offline"|"failed"} status of shopper.renew() */
export function renewedSaid(status) {
  if (status === "offline") return "You are offline: the cards are those from before, in the newest order.";
  if (status === "failed") return "The market did not answer: the cards are those from before, in the newest order.";
  return "“For you” is renewed.";
}
