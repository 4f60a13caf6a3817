/** One photo of the list on the page. The elements stay the same while the photo changes, so that no focus is lost. */
import { button, el } from "./dom.js";
import { paint, wholeMap } from "./heat.js";
import { PHOTO_ADVICE, isUnsure, isWarned, kilobytes, secondOpinion, sending, state } from "./photo_words.js";

const VEIL_PX = 96; // longer side of the heat map's canvas; the browser smooths it to the size shown

/**
 * @param {object} photo an item of the list
 * @param {number} altChars
 * @param {{describe: Function, move: Function, toCover: Function, remove: Function, retry: Function, ask: Function, recheck: Function}} actions
 */
export function createRow(photo, altChars, actions) {
  const image = el("img", { width: "480", height: "360", draggable: "false", decoding: "async" });
  const veil = el("canvas.photo-item__heat", { "aria-hidden": "true", hidden: true });
  const blank = el("span.photo-item__blank", { "aria-hidden": "true" });
  const cover = el("span.photo-item__cover", {}, "Cover");
  const picture = el("div.photo-item__picture", { "data-drag": "mouse" }, blank, image, veil, cover);
  const said = el("p.photo-item__state");
  const why = el("details.photo-item__why", { hidden: true }, el("summary", {}, "Why this happened"), el("p"), el("p"));
  const ask = tool("Ask for a second opinion", () => actions.ask(photo));
  const askAbout = el("p.small.muted");
  const second = el("div.photo-item__second", { hidden: true }, ask, askAbout);
  const recheck = tool("Check again", () => actions.recheck(photo), { hidden: true });
  const hideMap = tool("Hide the marks", () => toggleMap());
  const legend = el("p.photo-item__legend.small.muted", { hidden: true }, el("span", {}, "Tinted: what led to it. "), hideMap);
  const bar = el("progress", { max: "1", hidden: true });
  const sent = el("p.photo-item__sending.small");
  const retry = tool("Send again", () => actions.retry(photo), { hidden: true });
  const altLabel = el("span.small");
  const alt = el("input", { type: "text", maxlength: String(altChars), placeholder: "Such as: from the left" });
  const handle = el("span.photo-item__handle", { "data-drag": "any", "aria-hidden": "true", title: "Drag to another place" }, "⠿");
  const left = tool("←", () => actions.move(photo, -1), { "data-move": "left" });
  const right = tool("→", () => actions.move(photo, 1), { "data-move": "right" });
  const toCover = tool("Make cover", () => actions.toCover(photo), { "data-cover": true });
  const remove = tool("Remove", () => actions.remove(photo), { "data-remove": true });
  alt.value = photo.alt;
  alt.addEventListener("input", () => actions.describe(photo, alt.value));
  const node = el(
    "li.photo-item",
    { "data-id": photo.id },
    picture,
    el("div.photo-item__said", {}, said, recheck, legend, why, second, bar, sent, retry),
    el("label", {}, altLabel, alt),
    el("div.photo-item__actions", {}, handle, left, right, toCover, remove),
  );
  let painted = null;
  let isMapHidden = false;
  let shownPlace = 1;

  function toggleMap() {
    isMapHidden = !isMapHidden;
    setText(hideMap, isMapHidden ? "Show the marks" : "Hide the marks");
    veil.hidden = isMapHidden;
    nameMarks();
  }

  function nameMarks() {
    name(hideMap, `${hideMap.textContent} on photo ${shownPlace}`);
  }

  function update(index, count, policies) {
    const place = index + 1;
    const { kind, text } = state(photo, policies);
    const stored = photo.server ?? photo.stored?.id;
    if (stored) node.dataset.photoId = stored;
    else delete node.dataset.photoId;
    node.dataset.state = kind;
    node.dataset.sending = photo.upload?.state ?? (photo.stored ? "sent" : "");
    show(picture, kind === "wait" && !photo.ready);
    setText(said, text);
    // It stays while it is pressed: hidden, it would take the focus with it.
    recheck.hidden = Boolean(photo.verdict) || !(photo.unchecked || photo.rechecking);
    recheck.setAttribute("aria-disabled", String(Boolean(photo.rechecking)));
    explain(policies);
    offerSecond(policies);
    tellSending(place);
    cover.hidden = index !== 0;
    setText(altLabel, `What can be seen on photo ${place}`);
    alt.name = `alt-${index}`;
    if (alt.value !== photo.alt && document.activeElement !== alt) alt.value = photo.alt;
    image.alt = photo.alt || `Photo ${place}`;
    picture.title = photo.name ?? "";
    name(left, `Move photo ${place} left`);
    name(right, `Move photo ${place} right`);
    // Not `disabled`, which would take the focus: pressed once more at an end, nothing happens.
    left.setAttribute("aria-disabled", String(index === 0));
    right.setAttribute("aria-disabled", String(place === count));
    name(toCover, `Make photo ${place} the cover`);
    toCover.hidden = index === 0;
    name(remove, `Remove photo ${place}`);
    name(recheck, `Check again: photo ${place}, on this device`);
    shownPlace = place;
    nameMarks();
    name(retry, `Send photo ${place} again`);
    name(ask, `Ask for a second opinion on photo ${place}`);
  }

  function show(box, isWaiting) {
    const source = photo.url ?? photo.thumb ?? "";
    const isShown = source !== "" && !isWaiting && !photo.note;
    if (isShown && image.getAttribute("src") !== source) image.src = source;
    image.hidden = !isShown;
    blank.hidden = isShown;
    setText(blank, isWaiting ? "" : (photo.kind?.split("/")[1]?.toUpperCase() ?? ""));
    box.classList.toggle("is-waiting", isWaiting);
    const map = isWarned(photo) || isUnsure(photo) ? wholeMap(photo.verdict.evidence) : null;
    veil.hidden = !map || !isShown || isMapHidden;
    legend.hidden = !map || !isShown;
    if (map && map !== painted) draw(map);
    painted = map;
  }

  /** The map stretched over the whole photo, on a canvas of the photo's shape: both are fitted into the box alike. */
  function draw(map) {
    const scale = VEIL_PX / Math.max(photo.width ?? 4, photo.height ?? 3);
    veil.width = Math.max(1, Math.round((photo.width ?? 4) * scale));
    veil.height = Math.max(1, Math.round((photo.height ?? 3) * scale));
    const small = el("canvas", { width: String(map.columns), height: String(map.rows) });
    const colour = getComputedStyle(veil).color.match(/\d+/g).slice(0, 3).map(Number);
    small.getContext("2d").putImageData(new ImageData(paint(map, colour), map.columns, map.rows), 0, 0);
    const context = veil.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, veil.width, veil.height);
  }

  function explain(policies) {
    const policy = isWarned(photo) ? policies.get(photo.verdict.policy) : null;
    why.hidden = !policy;
    if (!policy) return;
    setText(why.children[1], policy.photo_text || policy.merchant_text);
    setText(why.children[2], `What to do: ${PHOTO_ADVICE}`);
  }

  function offerSecond(policies) {
    const { asking, askFailed, second: answer, activation } = photo;
    second.hidden = !isUnsure(photo) || Boolean(photo.server);
    if (second.hidden) return;
    ask.hidden = Boolean(answer) || !activation;
    ask.setAttribute("aria-disabled", String(Boolean(asking)));
    const size = activation ? kilobytes(activation.byteLength) : "";
    if (answer) setText(askAbout, `${secondOpinion(answer, policies)} ${size ? `${size} were sent, not the photo.` : ""}`.trim());
    else if (asking) setText(askAbout, "Asking…");
    else if (askFailed) setText(askAbout, askFailed);
    else if (activation) setText(askAbout, `Sends ${size} of numbers worked out from the photo, not the photo. Nothing is stored.`);
    else setText(askAbout, "");
  }

  function tellSending() {
    const isOnItsWay = photo.upload?.state === "sending" || photo.upload?.state === "again";
    bar.hidden = !isOnItsWay;
    if (isOnItsWay) bar.value = photo.upload.share;
    bar.setAttribute("aria-label", `Sending ${image.alt}`);
    setText(sent, sending(photo));
    sent.classList.toggle("field-error", photo.upload?.state === "refused" || photo.upload?.state === "stopped");
    retry.hidden = photo.upload?.state !== "refused" && photo.upload?.state !== "stopped";
  }

  return { node, update, controls: { left, right, remove, toCover } };
}

function tool(label, onClick, attributes = {}) {
  return button(label, onClick, { class: "button--small button--quiet", ...attributes });
}

function name(control, text) {
  if (control.getAttribute("aria-label") !== text) {
    control.setAttribute("aria-label", text);
    control.title = text;
  }
}

// Only what changed: a row is brought up to date with every percent that is sent.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
