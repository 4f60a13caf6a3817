/** "What left this device": what is kept, what was sent, what was learned, and the switches over all of it. */
import { openHistory } from "../history.js";
import { standing } from "../ml/events.js";
import { inWords } from "../ml/weights.js";
import { button, clock, el } from "./sell/dom.js";

const SHOWN = 20;
const FORGOTTEN = "This browser forgets it when you leave this page.";
const REPLACED = { favourite: ", until you said “Not interested”", dismissal: ", until you made it a favourite" };
const VERBS = { view: "Looked at", favourite: "Favourite:", purchase: "Bought", dismissal: "Not interested in" };
const LESSON = "feed-lesson"; // a click that was not yet learned from (pages/feed/shelf.js)
const find = (id) => document.getElementById(id);
const page = find("what-left");
if (page) void start(page);

async function start(page) {
  const history = await openHistory();
  const shown = { sent: SHOWN, kept: SHOWN };

  async function show() {
    const [ledger, events, weights, settings] = await Promise.all([history.ledger(), history.events(), history.note("weights"), history.settings()]);
    const [interests, pool, blurs] = await Promise.all([history.note("interests"), history.pool(), history.note("blurs")]);
    find("left-blocked").hidden = history.durable;
    showSent(ledger);
    showKept(events.reverse(), settings.server);
    find("kept-beside").textContent = beside(interests, pool, blurs);
    find("learned-rows").replaceChildren(...inWords(weights).map(weightRow));
    find("set-paused").checked = settings.paused;
    find("set-resort").checked = settings.resort;
    find("set-server").checked = settings.server;
    for (const choice of noiseChoices()) choice.checked = Number(choice.value) === settings.noise;
  }

  function showSent(ledger) {
    const bytes = ledger.reduce((sum, row) => sum + row.bytes, 0);
    const requests = ledger.reduce((sum, row) => sum + (row.requests ?? 1), 0);
    const sum = requests === 0 ? "Nothing has been sent." : `${amount(bytes)} in ${plural(requests, "request")}.`;
    // Without a list nobody can say that nothing was sent.
    find("sent-sum").textContent = history.durable ? sum : "A list of what is sent cannot be kept in this browser, so no vectors are sent from it.";
    list("sent", ledger, (row) => el("li", {}, el("span", {}, row.requests ? row.what : `${row.what} to ${row.endpoint}`), el("span", {}, `${amount(row.bytes)} · ${clock(row.at)}`)));
  }

  function showKept(events, isHelped) {
    const where = history.durable ? "" : " This browser lets us keep nothing for longer than a page is open.";
    const holds = new Set(standing([...events].reverse()));
    find("kept-sum").textContent = events.length === 0 ? `Nothing is kept.${where}` : `${plural(events.length, "event")}, newest first. The list is never sent${isHelped ? "; where this device cannot, vectors of its last events are, as you allowed" : ""}.${where}`;
    list("kept", events, (event) => {
      const about = event.kind === "search" ? [`Searched for “${event.query}”`] : [`${VERBS[event.kind]} `, titleOf(event.item), holds.has(event) ? "" : REPLACED[event.kind]];
      return el("li", {}, el("span", {}, ...about), el("span", {}, clock(event.at)));
    });
  }

  /** Some rows, and a button for the others. */
  function list(name, rows, draw) {
    const node = find(`${name}-list`);
    node.replaceChildren(...rows.slice(0, shown[name]).map(draw));
    node.parentElement.querySelector("[data-all]")?.remove();
    if (rows.length <= shown[name]) return;
    const all = () => {
      const first = shown[name];
      shown[name] = Infinity;
      list(name, rows, draw);
      const next = node.children[first];
      next.tabIndex = -1;
      next.focus();
    };
    node.after(button(`Show all ${rows.length.toLocaleString("en-GB")}`, all, { class: "button--quiet button--small", "data-all": true }));
  }

  const said = (text) => (find("switches-said").textContent = text);
  for (const [id, name, on, off] of [
    ["set-paused", "paused", "Paused: nothing is noted and no vectors are sent.", "Going on."],
    ["set-resort", "resort", "Search results are sorted for you, on this device.", "Search results come in the order that everybody sees."],
    ["set-server", "server", "The server may work out your interests where this device cannot.", "Only this device works out your interests."],
  ]) {
    const input = find(id);
    input.addEventListener("change", async () => {
      await history.set({ [name]: input.checked });
      said([input.checked ? on : off, history.durable ? "" : FORGOTTEN].join(" ").trim());
    });
  }
  for (const choice of noiseChoices()) {
    choice.addEventListener("change", async () => {
      await history.set({ noise: Number(choice.value) });
      said(!history.durable ? `No vectors are sent from this browser. ${FORGOTTEN}` : choice.value === "0" ? "Vectors are sent as they are." : "Vectors are blurred before they are sent.");
    });
  }

  find("export").addEventListener("click", async () => {
    const file = new Blob([JSON.stringify(await history.exported(), null, 2)], { type: "application/json" });
    const link = el("a", { href: URL.createObjectURL(file), download: "what-this-market-keeps.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    said("Saved as a file. It stays on this device, too.");
  });

  const ask = find("erase-ask");
  const answered = () => {
    ask.hidden = true;
    find("erase").focus();
  };
  find("erase").addEventListener("click", () => {
    ask.hidden = false;
    find("erase-no").focus();
  });
  find("erase-no").addEventListener("click", answered);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !ask.hidden) answered();
  });
  find("erase-yes").addEventListener("click", async () => {
    const isGone = await history.erase();
    forgetLesson();
    answered();
    said(isGone ? "Erased." : "This browser did not let go of everything. Close other tabs of this site and try again, or clear the site's data in the browser's settings.");
  });

  history.watch(() => void show());
  await show();
  for (const control of page.querySelectorAll("[disabled]")) control.disabled = false;
  page.dataset.ready = "1"; // for tests: everything above is in place
}

/** What is kept beside the list, in words. */
function beside(interests, pool, blurs) {
  const parts = [
    interests && `${plural(interests.vectors.length, "vector")} of your interests`,
    pool && `${plural(pool.items.length, "item")} that may be shown, with the ${plural(pool.asked.length, "vector")} that they were asked for with`,
    blurs && `${plural(blurs.pairs.length, "blurred vector")} beside what they were`,
  ].filter(Boolean);
  return parts.length === 0 ? "" : `Beside it: ${parts.join("; ")}. “Save it all as a file” has them in full.`;
}

const noiseChoices = () => [...document.querySelectorAll('#set-noise input[name="noise"]')];
const titleOf = (item) => (item.url.startsWith("/") && !item.url.startsWith("//") ? el("a", { href: item.url }, item.title) : el("span", {}, item.title));
const plural = (count, word) => `${count.toLocaleString("en-GB")} ${word}${count === 1 ? "" : "s"}`;
const amount = (bytes) => (bytes < 1000 ? plural(bytes, "byte") : `${(bytes / 1000).toLocaleString("en-GB", { maximumFractionDigits: 1 })} kB`);

function weightRow({ about, words, now }) {
  return el("tr", {}, el("th", { scope: "row" }, about), el("td", {}, words), el("td", {}, now.toFixed(2)));
}

function forgetLesson() {
  try {
    sessionStorage.removeItem(LESSON);
  } catch {
    // A browser that keeps nothing.
  }
}
