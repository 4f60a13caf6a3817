/** Suggestions under the search box, as a combobox (ARIA 1.2). Without this file the form searches as it is. */
import { el } from "./sell/dom.js";

const WAIT_MS = 120; // after the last key
const SHORTEST = 2;
const KEPT = 50; // answers
const KINDS = { category: "Category", shop: "Shop", listing: "On sale" };

for (const form of document.querySelectorAll("form[data-suggestions]")) start(form, form.querySelector("input[type=search]"));

function start(form, input) {
  const list = el("ul.suggestions", { id: `${input.id}-suggestions`, role: "listbox", "aria-label": "Suggestions", hidden: true });
  const says = el("p.visually-hidden", { role: "status" });
  const kept = new Map(); // what was typed → items
  let shown = [];
  let at = -1; // the option that is chosen with the keys
  let typed = input.value;
  let waiting = 0;
  let asking = null;

  form.append(list, says);
  for (const [name, value] of Object.entries({ role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" })) {
    input.setAttribute(name, value);
  }

  input.addEventListener("input", () => {
    typed = input.value;
    clearTimeout(waiting);
    asking?.abort();
    if (typed.trim().length < SHORTEST) return close();
    waiting = setTimeout(() => void show(typed), WAIT_MS);
  });
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", close);
  form.addEventListener("submit", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the box
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) go([...list.children].indexOf(option));
  });

  async function show(words) {
    const items = kept.get(words) ?? (await ask(words));
    if (items && words === input.value && document.activeElement === input) open(items);
  }

  /** @returns {Promise<Array<object>|null>} null where there is no answer: nothing is shown, and the form still works */
  async function ask(words) {
    asking = new AbortController();
    try {
      const response = await fetch(`${form.dataset.suggestions}?q=${encodeURIComponent(words.slice(0, input.maxLength))}`, { signal: asking.signal, credentials: "omit", referrerPolicy: "no-referrer" });
      if (!response.ok) return null;
      const { items } = await response.json();
      if (kept.size >= KEPT) kept.clear();
      kept.set(words, items);
      return items;
    } catch {
      return null;
    }
  }

  function open(items) {
    shown = items;
    at = -1;
    list.replaceChildren(...items.map(option));
    list.hidden = items.length === 0;
    input.setAttribute("aria-expanded", String(items.length > 0));
    input.removeAttribute("aria-activedescendant");
    says.textContent = items.length === 1 ? "1 suggestion" : `${items.length} suggestions`;
  }

  function option(item, number) {
    const kind = KINDS[item.kind];
    return el("li.suggestion", { id: `${list.id}-${number}`, role: "option", "aria-selected": "false" }, el("span", {}, item.text), kind ? el("span.suggestion__kind", {}, kind) : null);
  }

  function close() {
    clearTimeout(waiting);
    asking?.abort();
    shown = [];
    at = -1;
    list.hidden = true;
    list.replaceChildren();
    says.textContent = "";
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function onKey(event) {
    if (event.isComposing) return;
    const isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (isOpen) move(event.key === "ArrowDown" ? 1 : -1);
      else if (input.value.trim().length >= SHORTEST) void show(input.value);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault(); // the first one closes the list, the next one empties the box
      input.value = typed;
      close();
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      go(at);
    }
  }

  /** Through the options and, between the last and the first, back to what was typed. */
  function move(step) {
    const places = shown.length + 1;
    at = ((at + 1 + step + places) % places) - 1;
    for (const [number, node] of [...list.children].entries()) {
      node.setAttribute("aria-selected", String(number === at));
      if (number === at) node.scrollIntoView({ block: "nearest" });
    }
    if (at < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", list.children[at].id);
    input.value = at >= 0 && shown[at].kind === "words" ? shown[at].text : typed;
  }

  function go(number) {
    const item = shown[number];
    close();
    if (item.kind === "words") input.value = item.text;
    location.assign(item.url);
  }
}
