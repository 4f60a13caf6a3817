/** Cards: what a server's tile says about its item, tiles made here, and what is added to both. */
import { button, el } from "../sell/dom.js";
import { fromBase64 } from "../../ml/vectors.js";

const SYMBOLS = { EUR: "€", USD: "$", GBP: "£", CHF: "CHF " };

/** @returns {object|null} the item of a tile or of the item page, with its vector */
export function itemOf(node) {
  try {
    const item = JSON.parse(node.dataset.item);
    if (typeof item?.id !== "string") return null;
    return { ...item, price: Number(item.price), vector: fromBase64(node.dataset.vector) };
  } catch {
    return null;
  }
}

/** The same item with the photo as this browser has it already, so that it can be shown again without asking for it. */
export function withSeenPhoto(item, node) {
  const seen = node.querySelector("img")?.currentSrc ?? "";
  return seen.startsWith(`${location.origin}/`) ? { ...item, photo: seen.slice(location.origin.length) } : item;
}

/** As the server writes it: cents only where there are any. */
function money(amount, currency) {
  if (!(amount >= 0)) return "Price unknown";
  const digits = Number.isInteger(amount) ? 0 : 2;
  const number = amount.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${SYMBOLS[currency] ?? `${currency ?? ""} `}${number}`;
}

/** A tile for an item that came from the cloud, as listings/_tile.html draws one. */
export function tileFor(item) {
  const photo = item.photo
    ? el("span.photo", {}, el("img", { src: item.photo, alt: item.title, width: 320, height: 320, loading: "lazy", decoding: "async" }))
    : el("span.no-photo", {}, "No photo");
  return el(
    "li.tile",
    {},
    el("div.tile__photo", {}, photo),
    el(
      "div.tile__body",
      {},
      el("span.tile__price", {}, money(item.price, item.currency)),
      el("h3.tile__title", {}, el("a", { href: item.url }, item.title)),
      el("p.tile__meta", {}, [item.condition_label ?? item.condition, item.town].filter(Boolean).join(" · ")),
    ),
  );
}

/**
 * Heart, "Not interested" and the reason, on a tile.
 * @param {{isFavourite: boolean, isDismissed: boolean, hasReasons: boolean, favourite: (on: boolean) => void, dismiss: () => void, undo: () => void}} does
 * @returns {{why: (text: string) => void, favourite: (on: boolean) => void, say: (text: string) => void, gone: (text: string) => void, uncover: () => void}}
 *   say: where it can be seen, for the page's status says it too; gone: what the cover says
 */
export function addActions(tile, item, does) {
  const heart = button("", () => setFavourite(heart.getAttribute("aria-pressed") !== "true", true), {
    class: "tile__action tile__heart",
    "aria-label": `Favourite: ${item.title}`,
    "aria-pressed": String(does.isFavourite),
    title: "Favourite, kept on this device",
  });
  const dismiss = button("", () => gone(), { class: "tile__action tile__dismiss", "aria-label": `Not interested: ${item.title}`, title: "Not interested" });
  const why = el("p.tile__why", {});
  const said = el("p.tile__said", { "aria-hidden": "true", hidden: true });
  let over = null;
  if (does.hasReasons) tile.querySelector(".tile__body").append(why);
  tile.append(el("div.tile__actions", {}, heart, dismiss), said);

  function setFavourite(on, isAsked) {
    heart.setAttribute("aria-pressed", String(on));
    if (isAsked) does.favourite(on);
  }

  /** The card keeps its place and size, so that nothing moves under the pointer. */
  function cover() {
    const back = button("Undo", () => {
      uncover();
      dismiss.focus();
      does.undo();
    }, { class: "button--quiet button--small" });
    over = el("div.tile__gone", {}, el("p", {}, "Not interested."), back);
    for (const child of tile.children) child.inert = true;
    tile.classList.add("is-gone");
    tile.append(over);
    return back;
  }

  function uncover() {
    over?.remove();
    over = null;
    tile.classList.remove("is-gone");
    for (const child of tile.children) child.inert = false;
  }

  function gone() {
    cover().focus();
    does.dismiss();
  }
  if (does.isDismissed) cover();

  return {
    favourite: (on) => setFavourite(on, false),
    uncover,
    gone(text) {
      if (over) over.firstElementChild.textContent = text;
    },
    say(text) {
      said.textContent = text;
      said.hidden = text === "";
    },
    why(text) {
      why.replaceChildren(...(text ? [el("span.visually-hidden", {}, "Why you see this: "), text] : []));
      why.title = text ? `Why you see this: ${text}. Worked out on this device.` : "";
    },
  };
}
