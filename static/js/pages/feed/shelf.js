/**
 * A list of cards that this device puts in order: "For you", similar items, search results. The server's own cards
 * stand there first; without this file they stay.
 *
 * data-shelf: "pool"  cards come from the candidates of the cloud, the server's are what is popular or new
 *             "rank"  the server's cards in another order
 *             "plain" the server's order is kept; cards get their heart and "Not interested"
 */
import { button, el } from "../sell/dom.js";
import { addActions, itemOf, tileFor, withSeenPhoto } from "./cards.js";
import { arrange, inUse, place, smoothly } from "./order.js";
import { caveat, dismissalCover, dismissalSaid, favouriteSaid, forYouSaid } from "./said.js";

const SETTLE_MS = 3000; // so long after the page was opened, nobody has begun to read
const PAIRS = 8;
const LESSON = "feed-lesson"; // in the tab's memory: a click whose page has not opened yet

export function createShelf(section, shopper) {
  const list = section.querySelector(".grid");
  const says = section.querySelector("[data-says]");
  const isPool = section.dataset.shelf === "pool";
  const source = section.dataset.source;
  const note = section.querySelector("[data-note-words]");
  const cards = new Map(); // id → {item, tile, tools}
  const hidden = new Set(); // ids that are hidden on this page only
  let original = [];
  let signals = new Map();
  let wantedCount = list.children.length;
  let isTouched = false;
  const opened = performance.now();

  for (const tile of [...list.children]) {
    const item = itemOf(tile);
    if (!item) continue;
    keep(item, tile);
    original.push(item);
  }
  const servers = original;
  for (const kind of ["pointerdown", "focusin"]) section.addEventListener(kind, () => (isTouched = true), { passive: true });
  addEventListener("scroll", () => (isTouched = true), { once: true, passive: true });
  list.addEventListener("click", onClick);
  list.addEventListener("auxclick", onClick);
  list.id ||= `cards-${section.dataset.shelf}-${document.querySelectorAll(".grid[id]").length}`;
  const more = isPool ? addMore() : null;
  if (isPool) startRenewal();

  function keep(item, tile) {
    const tools = addActions(tile, item, {
      isFavourite: shopper.isFavourite(item.id),
      isDismissed: section.dataset.shelf === "plain" && shopper.isDismissed(item.id),
      hasReasons: section.dataset.shelf !== "plain",
      favourite: (on) => void favoured(item, on),
      dismiss: () => void dismissed(item),
      undo: () => void restored(item),
    });
    const card = { item, tile, tools };
    cards.set(item.id, card);
    return card;
  }

  const cardOf = (item) => cards.get(item.id) ?? keep(item, tileFor(item));
  const idOf = (tile) => [...cards.values()].find((card) => card.tile === tile)?.item.id;

  async function favoured(item, on) {
    if (!on) {
      await shopper.undo("favourite", item.id);
      cards.get(item.id).tools.say("");
      return after("No favourite any more.");
    }
    const { tile, tools } = cards.get(item.id);
    const kept = shopper.howKept(await shopper.note("favourite", withSeenPhoto(item, tile)));
    tools.favourite(shopper.isFavourite(item.id));
    tools.say(caveat(kept));
    return after(favouriteSaid(item.title, kept));
  }

  async function dismissed(item) {
    const before = shownIds();
    const others = before.filter((id) => id !== item.id && signals.has(id)).slice(0, PAIRS);
    const own = signals.get(item.id);
    const pairs = own ? others.map((id) => [signals.get(id), own]) : []; // now: signals are others after the note
    hidden.add(item.id);
    const kept = shopper.howKept(await shopper.note("dismissal", item));
    if (kept.isKept) hidden.delete(item.id);
    const { tools } = cards.get(item.id);
    tools.gone(dismissalCover(kept));
    tools.favourite(shopper.isFavourite(item.id));
    if (kept.isKept) await shopper.learnFrom(pairs);
    changed();
    // Compared with the click: this page hears of its own note, too, and has put the cards in order by then.
    return say(dismissalSaid(item.title, kept, shownIds().join() !== before.join()));
  }

  async function restored(item) {
    if (!hidden.delete(item.id)) await shopper.undo("dismissal", item.id);
    after("It is back.");
  }

  const changed = () => section.dispatchEvent(new CustomEvent("taste-changed", { bubbles: true }));

  function after(words) {
    say(words);
    changed();
  }

  function say(words) {
    if (says) says.textContent = words;
  }

  const shownIds = () => [...list.children].map(idOf).filter(Boolean);

  /**
   * Put the cards in order as of now.
   * @param {{all?: boolean}} how all: those in view, too (they were asked for, or the page has just been opened)
   */
  function show({ all = false } = {}) {
    const held = isPool ? shopper.candidates() : null;
    const items = held ? held.items : servers;
    for (const [id, { tools }] of cards) {
      tools.favourite(shopper.isFavourite(id));
      // Erased, paused or taken back, perhaps in another tab.
      if (!hidden.has(id) && !shopper.isDismissed(id)) tools.uncover();
    }
    if (note) note.textContent = forYouSaid({ isPaused: shopper.settings.paused, hasTaste: shopper.hasTaste, source: held?.source ?? source });
    if (section.dataset.shelf === "plain" || items.length === 0) return;
    const isOff = source === "search" && !shopper.settings.resort;
    const ranked = shopper.rank(items, held?.source ?? source);
    signals = new Map(ranked.map((entry) => [entry.item.id, [...entry.signals]]));
    const isNew = !isTouched && performance.now() - opened < SETTLE_MS;
    const pinned = all || isNew ? [] : inUse(list);
    // A dismissed card keeps its place until the page is opened anew, with its Undo.
    const gone = [...list.children].filter((tile) => tile.classList.contains("is-gone") && !all);
    const fixed = new Set([...pinned, ...gone].map(idOf).filter(Boolean));
    const wanted = isOff ? servers.map((item) => item.id).filter((id) => !shopper.isDismissed(id)) : ranked.map((entry) => entry.item.id);
    const byId = new Map(items.map((item) => [item.id, item]));
    const count = isPool ? wantedCount : Math.min(servers.length, wanted.length + gone.length);
    const order = arrange(shownIds(), wanted, fixed, count);
    const tiles = order.map((id) => (cards.get(id) ?? cardOf(byId.get(id))).tile);
    const why = new Map(ranked.map((entry) => [entry.item.id, entry.why]));
    const change = () => {
      place(list, tiles);
      for (const id of order) {
        const { tools } = cards.get(id);
        tools.why(isOff ? "" : (why.get(id) ?? ""));
      }
      if (more) more.hidden = order.length >= ranked.length;
    };
    if (all && !isNew) smoothly(list, change);
    else change();
  }

  function addMore() {
    const node = button("Show more", () => {
      const first = list.children.length;
      wantedCount += first;
      isTouched = true;
      show();
      list.children[first]?.querySelector("a").focus({ preventScroll: true });
      section.dispatchEvent(new CustomEvent("wants-more", { bubbles: true }));
    }, { class: "button--quiet", hidden: true });
    section.append(el("div.shelf__more", {}, node));
    return node;
  }

  /** Cards in use keep their place until the page is opened anew, or somebody asks here. */
  function startRenewal() {
    const node = section.querySelector("[data-renew]");
    if (!node) return;
    node.disabled = false;
    node.addEventListener("click", () => section.dispatchEvent(new CustomEvent("wants-renewal", { bubbles: true })));
  }

  // --- what a click teaches: the card is preferred to those that stood before it
  function onClick(event) {
    const link = event.target.closest("a");
    const id = link && idOf(link.closest(".tile"));
    if (!id || !signals.has(id) || (event.type === "auxclick" && event.button !== 1)) return;
    const ids = shownIds();
    const passed = ids.slice(0, ids.indexOf(id)).filter((other) => signals.has(other)).slice(-PAIRS);
    const pairs = passed.map((other) => [signals.get(id), signals.get(other)]);
    const staysHere = event.type === "auxclick" || event.ctrlKey || event.metaKey || event.shiftKey;
    // A write that has just begun may be lost with the page: the item's own page does it.
    if (staysHere) void shopper.learnFrom(pairs);
    else putLesson({ id, pairs });
  }

  return { show, section, say, isPool };
}

function putLesson(lesson) {
  try {
    sessionStorage.setItem(LESSON, JSON.stringify(lesson));
  } catch {
    // A browser that keeps nothing learns nothing.
  }
}

/** @returns {Array<[number[], number[]]>} what the click that led to this item taught; at most once */
export function takeLesson(itemId) {
  try {
    const lesson = JSON.parse(sessionStorage.getItem(LESSON));
    sessionStorage.removeItem(LESSON);
    return lesson?.id === itemId && Array.isArray(lesson.pairs) ? lesson.pairs : [];
  } catch {
    return [];
  }
}
