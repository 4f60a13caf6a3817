/**
 * The favourites that this device keeps, newest first. Nothing is asked of the server, not even photos: a request for
 * just these would name them.
 */
import { openHistory } from "../history.js";
import { standing } from "../ml/events.js";
import { tileFor } from "./feed/cards.js";
import { caveat } from "./feed/said.js";
import { button, el } from "./sell/dom.js";

const find = (id) => document.getElementById(id);
const page = find("favourites");
if (page) void start(page);

async function start(page) {
  const history = await openHistory();
  const cards = new Map(); // item → {event, tile}
  const taken = new Map(); // item → event that was taken back on this page, and may come again

  async function show() {
    const [events, settings] = await Promise.all([history.events(), history.settings()]);
    const kept = standing(events).filter(({ kind }) => kind === "favourite");
    const ids = new Set(kept.map(({ item }) => item.id));
    for (const id of ids) taken.delete(id);
    const shown = [...kept, ...taken.values()].sort((a, b) => b.at - a.at);
    const tiles = shown.map((event) => cardOf(event, taken.has(event.item.id)));
    find("favourites-list").replaceChildren(...tiles);
    find("favourites-sum").textContent = kept.length === 0 ? "No favourites. Press the heart on a card, and the thing stands here." : kept.length === 1 ? "1 favourite." : `${kept.length} favourites, newest first.`;
    find("favourites-empty").hidden = shown.length > 0;
    const notice = find("favourites-notice");
    notice.textContent = !history.durable ? "This browser lets us keep nothing for longer than a page is open, so hearts of other pages are not here." : settings.paused ? "You have paused your history: no new favourites are kept." : "";
    notice.hidden = notice.textContent === "";
  }

  function cardOf(event, isTaken) {
    const { item } = event;
    const known = cards.get(item.id);
    const tile = known?.event.at === event.at ? known.tile : draw(event);
    tile.querySelector(".tile__gone")?.remove();
    for (const child of tile.children) child.inert = isTaken;
    tile.classList.toggle("is-gone", isTaken);
    if (isTaken) tile.append(el("div.tile__gone", {}, el("p", { role: "status" }, "No favourite any more."), button("Undo", () => void putBack(event), { class: "button--quiet button--small", "aria-label": `Undo: ${item.title}` })));
    cards.set(item.id, { event, tile });
    return tile;
  }

  function draw(event) {
    const { item } = event;
    const url = isOurs(item.url) ? item.url : "/";
    const tile = tileFor({ ...item, url, photo: "" }); // an address of a photo here would be fetched
    tile.append(el("div.tile__actions", {}, button("", () => void takeBack(event), { class: "tile__action tile__heart", "aria-label": `Favourite: ${item.title}`, "aria-pressed": "true", title: "Take the heart back" })));
    void showPhoto(tile, item);
    return tile;
  }

  async function takeBack(event) {
    taken.set(event.item.id, event);
    await history.forget("favourite", event.item.id);
    await show();
    cards.get(event.item.id)?.tile.querySelector(".tile__gone button")?.focus();
  }

  async function putBack({ kind, item, vector, space }) {
    const isKept = (await history.record({ kind, item, vector, space })) !== null;
    const { tile } = cards.get(item.id);
    if (!isKept) {
      tile.querySelector(".tile__gone p").textContent = caveat({ isKept, isPaused: (await history.settings()).paused, isLasting: history.durable });
      return;
    }
    await show();
    cards.get(item.id)?.tile.querySelector(".tile__heart")?.focus();
  }

  history.watch((what) => {
    if (what === "erased") taken.clear();
    if (what !== "ledger" && what !== "weights") void show();
  });
  addEventListener("pageshow", (event) => event.persisted && void show());
  await show();
  page.dataset.ready = "1"; // for tests: what this device keeps is on the page
}

const isOurs = (url) => url.startsWith("/") && !url.startsWith("//");

/** A photo from the browser's cache, if it is there; never from the line. */
async function showPhoto(tile, item) {
  if (!isOurs(item.photo)) return;
  try {
    const answer = await fetch(item.photo, { cache: "only-if-cached", mode: "same-origin", credentials: "same-origin" });
    if (!answer.ok) return;
    const src = URL.createObjectURL(await answer.blob());
    const image = el("img", { alt: item.title, width: 320, height: 320, load: () => URL.revokeObjectURL(src), src });
    tile.querySelector(".tile__photo").replaceChildren(el("span.photo", {}, image));
  } catch {
    // Not in the cache any more.
  }
}
