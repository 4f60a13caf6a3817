/** The ways a photo comes in: chosen, taken with the camera, dropped, pasted. All of them call add(files). */
import { button, el } from "./dom.js";

/**
 * @param {HTMLInputElement} input the form's own; it is emptied each time, for photos are sent one by one
 * @param {HTMLElement} zone
 * @param {(files: File[]) => void} add
 * @param {() => void} touched the merchant is about to add a photo
 */
export function listenForPhotos(input, zone, add, touched) {
  takeFrom(input, add);
  const choose = el("label.button", { for: input.id }, "Choose photos");
  input.classList.add("visually-hidden"); // still in the tab order; its label is what is seen
  input.after(choose);
  const byHand = matchMedia("(any-pointer: coarse)").matches;
  choose.after(byHand ? camera(add) : el("span.small.muted", {}, "or drag them here, or paste them"));
  for (const kind of ["focusin", "pointerenter", "dragenter"]) zone.addEventListener(kind, touched);
  listenForDrops(zone, add);
  listenForPastes(add);
}

function takeFrom(input, add) {
  input.addEventListener("change", () => {
    const chosen = [...input.files];
    input.value = "";
    if (chosen.length > 0) add(chosen);
  });
}

/** Only where there is a camera to hold: with a mouse alone the chooser is all there is. */
function camera(add) {
  const input = el("input", { type: "file", accept: "image/*", capture: "environment", hidden: true });
  takeFrom(input, add);
  return el("span", {}, input, button("Take a photo", () => input.click(), { class: "button--quiet" }));
}

function listenForDrops(zone, add) {
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  // A photo dropped beside the zone must not make the browser leave the page.
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (hasFiles(event)) event.preventDefault();
    });
  }
  zone.addEventListener("dragover", (event) => zone.classList.toggle("is-over", hasFiles(event)));
  zone.addEventListener("dragleave", (event) => zone.contains(event.relatedTarget) || zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    zone.classList.remove("is-over");
    if (!hasFiles(event)) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });
}

function listenForPastes(add) {
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const typing = event.target.matches?.("input, textarea") && event.clipboardData.types.includes("text/plain");
    if (files.length === 0 || typing) return;
    event.preventDefault();
    add(files);
  });
}
