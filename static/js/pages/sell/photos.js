/**
 * The photo list: choose, drop, paste, order, describe, remove. The form's own file input always holds exactly the
 * files of the list, so that the form posts like any other.
 *
 * item: {id, name, type, size, alt, blob, url} for a file, {id, server, thumb, alt} for a photo the account holds.
 */
import { button, el } from "./dom.js";
import { sortFiles } from "./photo_rules.js";

/** @param {() => void} onChange after every change the merchant made */
export function createPhotos(form, limits, onChange) {
  const input = form.elements.photos;
  const order = form.elements.photo_order;
  const list = document.getElementById("photo-list");
  const errors = document.getElementById("error-photos");
  const spoken = el("p.visually-hidden", { "aria-live": "polite" });
  const zone = form.querySelector(".photo-drop") ?? input.parentElement;
  list.after(spoken);

  let items = [...list.querySelectorAll("[data-photo-id]")].map(({ dataset }) => {
    return { id: `server-${dataset.photoId}`, server: dataset.photoId, thumb: dataset.thumb, alt: dataset.alt ?? "" };
  });

  input.addEventListener("change", () => {
    const chosen = [...input.files];
    // The browser has just replaced the earlier choice: put back what was there, then add.
    void add(chosen);
  });
  addDropping();
  addPasting();
  render();

  async function add(files) {
    const { accepted, problems } = sortFiles(files, items.length, limits);
    const opened = await Promise.all(accepted.map(openPhoto));
    const added = opened.filter((item) => item !== null);
    opened.forEach((item, index) => {
      if (item === null) problems.push(`“${accepted[index].name}” cannot be opened as a photo.`);
    });
    items = [...items, ...added].slice(0, limits.photos);
    showProblems(problems);
    if (added.length > 0) say(`${added.length === 1 ? "One photo" : `${added.length} photos`} added.`);
    render();
    if (added.length > 0) onChange();
  }

  function move(id, by) {
    const from = items.findIndex((item) => item.id === id);
    const to = from + by;
    if (from < 0 || to < 0 || to >= items.length) return;
    items.splice(to, 0, ...items.splice(from, 1));
    render();
    say(to === 0 ? "This photo is the cover now." : `Photo moved to place ${to + 1} of ${items.length}.`);
    const tools = list.children[to];
    const wanted = tools.querySelector(by < 0 ? "[data-move=left]" : "[data-move=right]");
    (wanted.disabled ? tools.querySelector("[data-move]:not(:disabled)") : wanted)?.focus();
    onChange();
  }

  function remove(id) {
    const at = items.findIndex((item) => item.id === id);
    if (at < 0) return;
    release(items[at]);
    items.splice(at, 1);
    showProblems([]);
    render();
    say("Photo removed.");
    (list.children[Math.min(at, items.length - 1)]?.querySelector("[data-remove]") ?? input).focus();
    onChange();
  }

  function render() {
    list.replaceChildren(...items.map(row));
    keepInput();
  }

  function row(item, index) {
    const place = index + 1;
    const alt = el("input", { type: "text", name: `alt-${index}`, maxlength: String(limits.alt ?? 200) });
    alt.value = item.alt;
    alt.addEventListener("input", () => {
      item.alt = alt.value;
      onChange();
    });
    return el(
      "li.photo-item",
      { "data-id": item.id, "data-photo-id": item.server ?? null },
      el("img", { src: item.url ?? item.thumb, alt: item.alt || `Photo ${place}`, width: "480", height: "360" }),
      index === 0 ? el("span.photo-item__cover", {}, "Cover") : null,
      el("label", {}, el("span.small", {}, `What can be seen on photo ${place}`), alt),
      el(
        "div.photo-item__actions",
        {},
        tool("←", `Move photo ${place} left`, () => move(item.id, -1), { disabled: index === 0, "data-move": "left" }),
        tool("→", `Move photo ${place} right`, () => move(item.id, 1), { disabled: place === items.length, "data-move": "right" }),
        tool("Remove", `Remove photo ${place}`, () => remove(item.id), { "data-remove": true }),
      ),
    );
  }

  /** The form's own input and the order, from the list. */
  function keepInput() {
    const transfer = new DataTransfer();
    const places = items.map((item) => {
      if (item.server) return `id:${item.server}`;
      transfer.items.add(new File([item.blob], item.name, { type: item.type }));
      return `file:${transfer.files.length - 1}`;
    });
    input.files = transfer.files;
    order.value = places.join(",");
  }

  function showProblems(problems) {
    errors.replaceChildren(...problems.map((problem) => el("div", {}, problem)));
  }

  function say(text) {
    spoken.textContent = text;
  }

  function addDropping() {
    const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    // A photo dropped beside the zone must not make the browser leave the page.
    for (const kind of ["dragover", "drop"]) {
      document.addEventListener(kind, (event) => {
        if (hasFiles(event)) event.preventDefault();
      });
    }
    zone.addEventListener("dragover", (event) => zone.classList.toggle("is-over", hasFiles(event)));
    zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
    zone.addEventListener("drop", (event) => {
      zone.classList.remove("is-over");
      if (!hasFiles(event)) return;
      event.preventDefault();
      void add([...event.dataTransfer.files]);
    });
  }

  function addPasting() {
    document.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      const typing = event.target.matches?.("input, textarea") && event.clipboardData.types.includes("text/plain");
      if (files.length === 0 || typing) return;
      event.preventDefault();
      void add(files);
    });
  }

  return {
    altTexts: () => items.map((item) => item.alt),
    /** For the draft: everything needed to show the list again. */
    state: () => items.map(({ url: _url, ...item }) => item),
    restore(saved) {
      items.forEach(release);
      items = saved.map((item) => (item.blob ? { ...item, url: URL.createObjectURL(item.blob) } : item));
      render();
    },
    get count() {
      return items.length;
    },
  };
}

function tool(label, name, onClick, attributes) {
  return button(label, onClick, { class: "button--small button--quiet", "aria-label": name, title: name, ...attributes });
}

/** An item, or null when the browser cannot show the file. */
async function openPhoto(file) {
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(url);
    return null;
  }
  return { id: crypto.randomUUID(), name: file.name, type: file.type, size: file.size, alt: "", blob: file, url };
}

function release(item) {
  if (item.url) URL.revokeObjectURL(item.url);
}
