/**
 * Putting cards in another order without taking anything from under somebody: what is in view, under the pointer or
 * holds the focus stays where it is, unless they asked for the new order.
 */

/**
 * Which id goes where. Pure.
 * @param {string[]} shown ids as they stand
 * @param {string[]} wanted ids, best first; may hold others than `shown`
 * @param {Set<string>} pinned ids that keep their place
 * @param {number} count how many are to stand there
 * @returns {string[]}
 */
export function arrange(shown, wanted, pinned, count) {
  const places = new Array(count).fill(null);
  shown.forEach((id, at) => {
    if (pinned.has(id) && at < count) places[at] = id;
  });
  const taken = new Set(places.filter((id) => id !== null));
  const rest = wanted.filter((id) => !taken.has(id));
  for (let at = 0; at < count; at += 1) places[at] ??= rest.shift() ?? null;
  return places.filter((id) => id !== null);
}

/** Cards that somebody sees, points at or is in. */
export function inUse(list) {
  return [...list.children].filter((card) => {
    const { top, bottom } = card.getBoundingClientRect();
    return (bottom > 0 && top < innerHeight) || card.matches(":hover") || card.contains(document.activeElement);
  });
}

/** Children of `list` become `cards`; those that keep their place are not touched, so that focus and hover live on. */
export function place(list, cards) {
  const before = [...list.children];
  const stay = new Set(cards.filter((card, at) => before[at] === card));
  for (const card of before) if (!stay.has(card)) card.remove();
  let next = list.firstElementChild;
  for (const card of cards) {
    if (card === next) next = next.nextElementSibling;
    else list.insertBefore(card, next);
  }
}

/** Do it, animated where the browser can and the person likes movement. */
export function smoothly(list, change) {
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches || document.visibilityState !== "visible";
  if (isStill || !document.startViewTransition || inUse(list).length === 0) return void change();
  const moving = [...list.children];
  moving.forEach((card, at) => (card.style.viewTransitionName = `${list.id}-${at}`));
  const done = () => moving.forEach((card) => (card.style.viewTransitionName = ""));
  document.startViewTransition(change).finished.then(done, done);
  return undefined;
}
