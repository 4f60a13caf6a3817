/**
 * Pages that show things on sale: notes on this device what happened, and puts cards in this shopper's order. The
 * pages work without any of this.
 */
import { openHistory } from "../history.js";
import { createClient } from "../ml/client.js";
import { createShopper } from "../shopper.js";
import { itemOf, withSeenPhoto } from "./feed/cards.js";
import { caveat, renewedSaid } from "./feed/said.js";
import { createShelf, takeLesson } from "./feed/shelf.js";

const BOUGHT = "bought-"; // data-about of the message after buying
const config = document.getElementById("feed-data");
if (config) void start(config.dataset);

async function start(data) {
  const history = await openHistory();
  const client = canRunTowers(data) ? createClient({ workerUrl: data.workerUrl, workerImports: data.workerImports.split(" ").filter(Boolean), manifestUrl: data.manifestUrl }) : null;
  const categories = JSON.parse(document.getElementById("feed-categories")?.textContent ?? "{}");
  const shopper = createShopper({ history, client, url: data.recommendationsUrl, me: data.me, query: data.query ?? "", space: data.space, categoryName: (id) => categories[id] ?? id });
  await shopper.load();
  const shelves = [...document.querySelectorAll("[data-shelf]")].filter((section) => section.querySelector(".grid")).map((section) => createShelf(section, shopper));
  const showAll = (how) => shelves.forEach((shelf) => shelf.show(how));

  const showHeart = await noteArrival(data, shopper);
  showAll();
  const showSwitch = addSwitch(shelves, shopper, history);
  document.body.dataset.feed = "ready"; // for tests: what this device knows is on the page

  const renew = async (wanted) => {
    if (!shelves.some((shelf) => shelf.isPool)) return "fresh";
    const status = await shopper.renew(wanted);
    if (status === "new") showAll();
    offerServer(shelves.find((shelf) => shelf.isPool), shopper, history, () => void renew());
    return status;
  };
  document.addEventListener("taste-changed", () => {
    showAll();
    whenIdle(() => void renew());
  });
  document.addEventListener("wants-more", () => void renew({ many: true }).then(() => showAll()));
  document.addEventListener("wants-renewal", async () => {
    const status = await renew({ anew: true });
    showAll({ all: true });
    shelves.find((shelf) => shelf.isPool).say(renewedSaid(status));
  });
  // Back on this page, or on this tab: what happened elsewhere counts, and nobody has a place to lose yet.
  const again = async () => {
    await shopper.load();
    showAll({ all: true });
    showSwitch();
    showHeart();
    await renew();
  };
  addEventListener("pageshow", (event) => event.persisted && void again());
  addEventListener("online", () => void renew());
  history.watch((what) => {
    if (what === "ledger" || what === "weights") return;
    const wasPaused = shopper.settings.paused;
    void shopper.load().then(() => {
      // Erased, paused or going on, in whatever tab: every card is to stand where it belongs now.
      showAll({ all: what === "erased" || shopper.settings.paused !== wasPaused });
      showSwitch();
      showHeart();
    });
  });

  whenIdle(async () => {
    await shopper.fillVectors(); // of what was searched for just now
    showAll();
    await renew();
    // The next page of candidates, while nothing else is going on.
    if (!navigator.connection?.saveData) whenIdle(() => void renew({ many: shopper.hasTaste }));
    document.body.dataset.feed = "settled";
  });
}

const canRunTowers = (data) => Boolean(data.workerUrl) && typeof Worker === "function" && typeof WebAssembly === "object";

/** A search, the page of an item, the page after buying. @returns {Promise<() => void>} shows the item page's heart as it is now */
async function noteArrival(data, shopper) {
  if (data.query) await shopper.noteSearch(data.query);
  const page = document.querySelector("[data-viewed]");
  const item = page && itemOf(page);
  let showHeart = () => {};
  if (item && item.seller !== data.me) {
    const pairs = takeLesson(item.id);
    await shopper.note("view", item);
    await shopper.learnFrom(pairs);
    showHeart = favouriteButton(page, item, shopper);
  }
  const about = document.querySelector(`[data-about^="${BOUGHT}"]`)?.dataset.about;
  const bought = about && shopper.lastView(about.slice(BOUGHT.length));
  if (bought) await shopper.note("purchase", { ...bought.item, vector: bought.vector, space: bought.space });
  return showHeart;
}

function favouriteButton(page, item, shopper) {
  const heart = page.querySelector("[data-favourite]");
  if (!heart) return () => {};
  const said = page.querySelector("[data-favourite-said]");
  const show = () => {
    const on = shopper.isFavourite(item.id);
    heart.setAttribute("aria-pressed", String(on));
    heart.textContent = on ? "A favourite" : "Favourite";
  };
  heart.hidden = false;
  show();
  heart.addEventListener("click", async () => {
    let words = "";
    if (shopper.isFavourite(item.id)) await shopper.undo("favourite", item.id);
    else words = caveat(shopper.howKept(await shopper.note("favourite", withSeenPhoto(item, page))));
    said.textContent = words;
    show();
  });
  return show;
}

/** A device without towers: nothing of the history goes to the server unless somebody says so here or on the privacy page. */
function offerServer(shelf, shopper, history, allowed) {
  const place = shelf.section.querySelector("[data-consent]");
  if (!place) return;
  const show = () => {
    place.hidden = !shopper.wantsConsent;
    shelf.section.querySelector("[data-note]").hidden = !place.hidden;
  };
  show();
  if (place.hidden || place.dataset.listens) return;
  place.dataset.listens = "1";
  place.querySelector("button").addEventListener("click", async () => {
    await history.set({ server: true });
    await shopper.load();
    show();
    shelf.say("The server helps now. You can switch it off on the page “What left this device”.");
    allowed();
  });
}

/** "Sorted for you, on this device", above search results. */
function addSwitch(shelves, shopper, history) {
  const box = document.querySelector("[data-resort]");
  const shelf = shelves.find(({ section }) => section.dataset.source === "search" && section.dataset.shelf === "rank");
  if (!box || !shelf) return () => {};
  const input = box.querySelector("input");
  box.classList.add("is-ready");
  const show = () => {
    const { paused, resort } = shopper.settings;
    input.disabled = paused;
    input.checked = resort && !paused;
    box.querySelector("[data-resort-paused]").hidden = !paused;
  };
  show();
  input.addEventListener("change", async () => {
    await history.set({ resort: input.checked });
    await shopper.load();
    shelf.show({ all: true });
    shelf.say(input.checked ? "Sorted for you, on this device." : "In the order that everybody sees.");
  });
  return show;
}

function whenIdle(work) {
  if (typeof requestIdleCallback === "function") requestIdleCallback(work, { timeout: 3000 });
  else setTimeout(work, 300);
}
