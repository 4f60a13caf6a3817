/** Elements without innerHTML: what merchants type only ever becomes text. */

/**
 * @param {string} tag for example "p" or "p.check-note"
 * @param {object} attributes functions become listeners of that event, false and null are left out
 * @param {...(Node|string|null)} children
 */
export function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name);
  if (classes.length > 0) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value !== null && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

export function button(label, onClick, attributes = {}) {
  return el("button", { type: "button", click: onClick, ...attributes }, label);
}

/**
 * A file that a worker will ask for: on its way before the worker is up. Browsers that take this hint answer the later
 * request from the first (seen in Chromium); one that does not take it loads as before. `preload` and `fetch` are no
 * way: with them Safari is reported to download twice (trunk-rs/trunk#229, DioxusLabs/dioxus#4796).
 */
export function prefetch(url) {
  if (typeof WebAssembly !== "object" || navigator.connection?.saveData) return; // no use for it; or bytes are dear
  const isAsked = [...document.head.querySelectorAll("link[rel=prefetch]")].some((link) => link.getAttribute("href") === url);
  if (url && !isAsked) document.head.append(el("link", { rel: "prefetch", href: url }));
}

export function clock(milliseconds) {
  const when = new Date(milliseconds);
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (when.toDateString() === new Date().toDateString()) return time;
  return `${when.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`;
}
