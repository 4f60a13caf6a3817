/**
 * The photo list: what is in it and in which order. Choosing is photo_input.js, one photo on the page photo_row.js,
 * making it ready and judging it photo_work.js, sending it uploads.js.
 *
 * photo: {id, name, kind, type, size, alt, blob, url, ready, width, height, note, verdict, activation, second, stored,
 * upload} for a file, {id, server, thumb, alt} for a photo that the account holds already.
 */
import { button, el } from "./dom.js";
import { addDragging } from "./photo_drag.js";
import { listenForPhotos } from "./photo_input.js";
import { createRow } from "./photo_row.js";
import { shorten, sortFiles, withKinds } from "./photo_rules.js";
import { createWork } from "./photo_work.js";
import { isUnsure, kilobytes, secondOpinion as inWords, state, summary } from "./photo_words.js";
import * as secondOpinion from "./second_opinion.js";
import { createUploads } from "./uploads.js";
import { createTransport } from "./upload_transport.js";

const CHECK_WAIT_MS = 2000; // at a submit
const ACTIVATION_BYTES = 8192; // at most; each photo says its own number
const READ_AT_MOST = 100; // of the files of one choice
const PROBLEMS_SHOWN = 8;
const READY_MARK = "+";
// What of a photo is kept in the draft.
const KEPT = ["name", "kind", "type", "size", "alt", "blob", "ready", "width", "height", "sha256", "note", "verdict", "activation", "second", "stored", "server", "thumb"];

/**
 * @param {HTMLFormElement} form
 * @param {object} limits
 * @param {{client: object, findings: object, policies: () => Promise<Map<string, object>>, csrfToken: string}} tools
 * @param {() => void} onChange after every change the merchant made
 * @param {() => void} touched the merchant is at the photos
 */
export function createPhotos(form, limits, { client, findings, policies, csrfToken }, onChange, touched) {
  const page = form.dataset;
  const input = form.elements.photos;
  const order = form.elements.photo_order;
  const list = document.getElementById("photo-list");
  const errors = document.getElementById("error-photos");
  const spoken = el("p.visually-hidden", { "aria-live": "polite" });
  const rows = new Map(); // photo id → row
  const actions = { describe, move, toCover, remove, retry, ask, recheck };
  const allow = allowance();
  let rules = new Map();
  let isStarted = false; // nothing is loaded before the form is touched
  const removed = el("div.photo-removed.small", {});
  list.after(removed, spoken, allow);

  const work = createWork({ client, limits, changed: refresh, refused: leaveOut, judged });
  const send = createTransport({ url: page.photosUrl, csrfToken });
  const uploads = createUploads({ send, changed: sent });
  const askServer = secondOpinion.createSecondOpinion({ url: page.secondOpinionUrl, csrfToken });

  let photos = [...list.querySelectorAll("[data-photo-id]")].map(({ dataset }) => {
    return { id: `server-${dataset.photoId}`, server: dataset.photoId, thumb: dataset.thumb, alt: dataset.alt ?? "", ready: true };
  });
  list.replaceChildren();

  listenForPhotos(input, form.querySelector(".photo-drop") ?? input.parentElement, add, touched);
  addDragging(list, (id, place) => moveTo(find(id), place));
  render();

  // --- the list

  async function add(files) {
    touched();
    start();
    void learnRules();
    const { accepted, problems } = sortFiles(await withKinds(files.slice(0, READ_AT_MOST)), photos.length, limits);
    const added = accepted.map(({ file, kind }) => {
      return { id: crypto.randomUUID(), name: file.name, kind, type: file.type, size: file.size, alt: "", blob: file, ready: false };
    });
    photos = [...photos, ...added].slice(0, limits.photos);
    showProblems(problems); // what was said of files chosen before is read, or was no use
    removed.replaceChildren();
    if (added.length > 0) say(`${added.length === 1 ? "One photo" : `${added.length} photos`} added. ${problems.join(" ")}`.trim());
    else say(problems.join(" "));
    render();
    added.forEach(work.add);
    if (added.length > 0) onChange();
  }

  function move(photo, by) {
    moveTo(photo, photos.indexOf(photo) + by);
    const { left, right } = rows.get(photo.id).controls;
    (by < 0 ? left : right).focus();
  }

  function moveTo(photo, place) {
    const from = photos.indexOf(photo);
    if (from < 0 || place < 0 || place >= photos.length || place === from) return;
    photos.splice(from, 1);
    photos.splice(place, 0, photo);
    render();
    say(place === 0 ? "This photo is the cover now." : `Photo moved to place ${place + 1} of ${photos.length}.`);
    onChange();
  }

  function toCover(photo) {
    moveTo(photo, 0);
    rows.get(photo.id).controls.right.focus();
  }

  /** It can be put back until the next one is removed; the focus is there, where pressing again does no harm. */
  function remove(photo) {
    const at = photos.indexOf(photo);
    take(photo);
    const putBack = button("Put it back", () => {
      removed.replaceChildren();
      if (photos.length >= limits.photos) return showProblems([`A listing has at most ${limits.photos} photos: there is no place for it any more.`]);
      if (leaveOutTwin(photo, "sha256")) return; // chosen again meanwhile
      photos.splice(at, 0, photo);
      photo.shown = null;
      render();
      if (photo.blob) work.add(photo);
      say("The photo is back.");
      rows.get(photo.id).controls.remove.focus();
      onChange();
    }, { class: "button--small button--quiet" });
    removed.replaceChildren(el("span", {}, `Photo ${at + 1} was removed.`), putBack);
    say(`Photo ${at + 1} was removed.`);
    putBack.focus();
    onChange();
  }

  /** A file that turned out to be no photo: the rest goes on. */
  function leaveOut(photo, text) {
    const hadFocus = rows.get(photo.id)?.node.contains(document.activeElement);
    take(photo);
    showProblems(earlierProblems().concat(text));
    say(text);
    if (hadFocus) input.focus();
    onChange();
  }

  function take(photo) {
    work.drop(photo);
    uploads.drop(photo);
    release(photo);
    photos = photos.filter((other) => other !== photo);
    render();
  }

  // --- on the page

  function render() {
    const focused = document.activeElement;
    for (const [id, { node }] of rows) {
      if (find(id)) continue;
      node.remove();
      rows.delete(id);
    }
    photos.forEach((photo, index) => {
      if (!rows.has(photo.id)) rows.set(photo.id, createRow(photo, limits.alt ?? 200, actions));
      const { node } = rows.get(photo.id);
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    });
    rows.forEach(updateRow);
    if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
    keepOrder();
    showSummary();
  }

  function updateRow(row, id) {
    const photo = find(id);
    if (!photo) return;
    if (photo.blob && photo.ready && !photo.note && photo.shown !== photo.blob) {
      release(photo);
      photo.shown = photo.blob;
      photo.url = URL.createObjectURL(photo.blob);
    }
    row.update(photos.indexOf(photo), photos.length, rules);
  }

  function update(photo) {
    const row = rows.get(photo.id);
    if (row) updateRow(row, photo.id);
    keepOrder();
  }

  /** The photo was made ready or judged. */
  function refresh(photo) {
    if (leaveOutTwin(photo, "sha256")) return;
    update(photo);
    showSummary();
    onChange();
  }

  /** Something about the sending of the photo has changed. */
  function sent(photo) {
    if (photo.upload === null && leaveOutTwin(photo, "stored")) return;
    update(photo);
    if (photo.upload === null) onChange();
  }

  /** The server keeps the same file once, and so does a listing. */
  function leaveOutTwin(photo, key) {
    const value = (one) => (key === "stored" ? one.stored?.id : one[key]);
    const twin = photos.find((other) => other !== photo && value(other) && value(other) === value(photo));
    if (twin) leaveOut(photo, `“${shorten(photo.name)}” is in the list already.`);
    return Boolean(twin);
  }

  function showSummary() {
    findings.photos(summary(photos, rules), rules);
  }

  function keepOrder() {
    order.value = photos.map(({ server, stored }) => server ?? stored?.id).filter(Boolean).map((id) => `id:${id}`).join(",");
  }

  function showProblems(problems) {
    errors.replaceChildren(...[...new Set(problems)].slice(-PROBLEMS_SHOWN).map((problem) => el("div", {}, problem)));
  }

  /** What was said of files that came before these: several may be made ready at a time, and each is worth reading. */
  function earlierProblems() {
    return [...errors.children].map((line) => line.textContent);
  }

  function say(text) {
    spoken.textContent = text;
  }

  function find(id) {
    return photos.find((photo) => photo.id === id);
  }

  function describe(photo, text) {
    photo.alt = text;
    onChange();
  }

  /** Asked for by hand: whatever was in the way before may be over. */
  async function recheck(photo) {
    if (photo.rechecking) return;
    const hadFocus = rows.get(photo.id).node.contains(document.activeElement);
    photo.rechecking = true;
    photo.unchecked = "";
    client.retry();
    update(photo);
    work.add(photo);
    await work.checked();
    photo.rechecking = false;
    update(photo);
    const row = rows.get(photo.id);
    if (!row) return;
    say(`Photo ${photos.indexOf(photo) + 1}: ${state(photo, rules).text}`);
    if (hadFocus && document.activeElement === document.body) row.controls.remove.focus();
  }

  // --- the second opinion

  function judged(photo) {
    if (isUnsure(photo) && secondOpinion.isAllowed()) void ask(photo);
    allow.hidden = !photos.some(isUnsure);
  }

  async function ask(photo) {
    if (photo.asking || !photo.activation) return;
    if (!navigator.onLine) return answered(photo, "You are offline: a second opinion needs the network.");
    photo.asking = true;
    update(photo);
    const answer = await askServer(photo.activation, photo.verdict);
    photo.asking = false;
    if (answer.status === "verdict") photo.second = answer.verdict;
    if (answer.status === "offline") answered(photo, "The server cannot be reached: a second opinion needs the network.");
    else if (answer.status === "failed") answered(photo, answer.message);
    else answered(photo, "");
  }

  function answered(photo, problem) {
    photo.askFailed = problem;
    update(photo);
    say(problem || `Photo ${photos.indexOf(photo) + 1}: ${inWords(photo.second, rules)}`);
    onChange();
  }

  /** Shown once there is a photo that this device is not sure about. */
  function allowance() {
    const box = el("input", { type: "checkbox" });
    box.checked = secondOpinion.isAllowed();
    box.addEventListener("change", () => {
      secondOpinion.allow(box.checked);
      if (box.checked) photos.filter((photo) => isUnsure(photo) && !photo.second).forEach(ask);
    });
    const text = `Ask for a second opinion by itself when this device is not sure (sends at most ${kilobytes(ACTIVATION_BYTES)} of numbers for a photo, never the photo)`;
    return el("label.check.small", { id: "allow-second", hidden: true }, box, el("span", {}, text));
  }

  // --- sending

  async function retry(photo) {
    const answer = await uploads.sendOne(photo);
    if (answer !== "stored") return;
    say("The photo has arrived.");
    if (areSent()) form.dispatchEvent(new CustomEvent("photos-arrived"));
  }

  /**
   * Send what is not on the server yet. Afterwards the form needs only the order.
   * @param {(text: string) => void} tell
   * @returns {Promise<string>} "" when every photo is there, else why not
   */
  async function sendAll(tell) {
    start();
    let outcome = { status: "sent" };
    // Photos may be added while others are on their way.
    while (outcome.status === "sent" && !areSent()) {
      if (photos.some((photo) => !photo.ready)) tell("Getting your photos ready…");
      await work.prepared();
      await Promise.race([work.checked(), new Promise((resolve) => setTimeout(resolve, CHECK_WAIT_MS))]);
      const waiting = photos.filter((photo) => !uploads.isStored(photo)).length;
      if (waiting > 0) tell(`Sending ${waiting === 1 ? "your photo" : `your ${waiting} photos`}…`);
      outcome = await uploads.sendAll(() => photos.filter((photo) => photo.ready));
    }
    keepOrder();
    if (outcome.status === "sent") return "";
    const arrived = photos.filter(uploads.isStored).length;
    const so = `${arrived} of ${photos.length} photos have arrived, and nothing is lost.`;
    if (outcome.status === "refused") return `Not sent yet. The reason stands under the photo: remove it or send it again, then press the button again. ${so}`;
    return `Not sent yet. ${outcome.message} ${so} Press the button again to go on where it stopped.`;
  }

  function areSent() {
    return photos.every(uploads.isStored);
  }

  /** The form was touched: what the draft brought back is made ready and checked. */
  function start() {
    if (isStarted) return;
    isStarted = true;
    photos.filter((photo) => photo.blob).forEach(work.add);
  }

  return {
    start,
    sendAll,
    areSent,
    altTexts: () => photos.map((photo) => photo.alt),
    /** What this device found, for the form: one verdict for each photo judged here. */
    claims: () => photos.filter((photo) => photo.verdict).map((photo) => photo.verdict),
    /** For the draft: everything needed to show the list again. */
    state: () => photos.map(forDraft),
    restore(saved) {
      const ids = new Set(saved.map((photo) => fromDraft(photo).id));
      // Chosen while the draft was being read from the disk: it goes behind.
      const chosen = photos.filter((photo) => photo.blob && !ids.has(photo.id));
      photos.filter((photo) => !chosen.includes(photo)).forEach((photo) => (work.drop(photo), uploads.drop(photo), release(photo)));
      for (const { node } of rows.values()) node.remove();
      rows.clear();
      photos = [...saved.map(fromDraft), ...chosen];
      const tooMany = photos.slice(limits.photos);
      begin();
      for (const photo of tooMany) leaveOut(photo, `“${shorten(photo.name)}” was left out: a listing has at most ${limits.photos} photos, and your draft brought some back.`);
      if (chosen.length > 0) onChange();
    },
    /** After a refused form the server shows its own copies: what this device knows about them is put back. */
    recall(saved) {
      const known = new Map(saved.filter((photo) => photo.stored).map((photo) => [photo.stored.id, photo]));
      photos = photos.map((photo) => {
        const mine = known.get(photo.server);
        return mine ? { ...fromDraft(mine), alt: photo.alt, stored: { ...mine.stored, at: Date.now() } } : photo;
      });
      begin();
    },
    /** The connection is back: what could not be checked for want of a model is checked now. */
    again() {
      for (const photo of photos.filter(({ unchecked }) => unchecked)) work.add(photo);
    },
    get count() {
      return photos.length;
    },
  };

  function begin() {
    render();
    allow.hidden = !photos.some(isUnsure);
    if (photos.length > 0) void learnRules();
    if (isStarted) photos.filter((photo) => photo.blob).forEach(work.add);
  }

  async function learnRules() {
    rules = await policies();
    rows.forEach(updateRow);
    showSummary();
  }
}

/** A draft writes each file once, by its id: a file that has been made ready is another one, and is marked. */
function forDraft(photo) {
  const kept = KEPT.filter((key) => photo[key] !== undefined && photo[key] !== null);
  const isMade = photo.ready && !photo.server;
  const name = isMade ? { id: `${photo.id}${READY_MARK}`, before: photo.id } : { id: photo.id };
  return { ...name, ...Object.fromEntries(kept.map((key) => [key, photo[key]])) };
}

function fromDraft(saved) {
  if (saved.isEarlier) return { id: saved.id, name: saved.name, kind: saved.kind, type: saved.blob.type, size: saved.blob.size, alt: saved.alt, blob: saved.blob, ready: false };
  const id = saved.id.endsWith(READY_MARK) ? saved.id.slice(0, -READY_MARK.length) : saved.id;
  return { ready: Boolean(saved.server), kind: saved.type, ...saved, id };
}

function release(photo) {
  if (photo.url) URL.revokeObjectURL(photo.url);
  photo.url = undefined;
}
