/**
 * What this device does with a photo before it is sent: makes it ready (smaller, upright, without metadata), then
 * judges the very file that will be sent. One photo at a time in each step. No DOM but for one fallback.
 */
import { PHOTO } from "../../ml/client.js";
import { LONGEST_SIDE, isForeign, notPrepared } from "./photo_rules.js";

// The worker itself failed, not the file: the browser's own decoder decides whether it is a photo.
const NOT_THE_FILE = new Set(["worker", "too-slow", "run"]);

/**
 * @param {{client: object, limits: object, changed: (photo: object) => void, refused: (photo: object, text: string) => void,
 *   judged: (photo: object) => void, opens?: (blob: Blob) => Promise<boolean>}} options
 */
export function createWork({ client, limits, changed, refused, judged, opens = opensHere }) {
  const controllers = new Map(); // photo id → AbortController, while there is work on it
  let preparing = Promise.resolve();
  let checking = Promise.resolve();

  function add(photo) {
    const controller = new AbortController();
    controllers.set(photo.id, controller);
    const { signal } = controller;
    preparing = preparing.then(() => (photo.ready || signal.aborted ? null : prepare(photo, signal)));
    preparing.then(() => {
      checking = checking.then(() => (photo.ready && !signal.aborted ? check(photo, signal) : null));
      checking.then(() => controllers.get(photo.id) === controller && controllers.delete(photo.id));
    });
  }

  async function prepare(photo, signal) {
    const answer = await client.prepare(photo.blob, LONGEST_SIDE, { signal });
    if (signal.aborted) return;
    if (answer.status === "prepared") {
      const { blob, width, height, sha256 } = answer;
      Object.assign(photo, { blob, width, height, sha256, size: blob.size, type: blob.type, ready: true });
    } else {
      const isGood = NOT_THE_FILE.has(answer.code) && (isForeign(photo.kind) || (await opens(photo.blob)));
      const { keep, text } = notPrepared(photo, isGood ? "" : answer.code ?? "cannot-open", limits);
      if (signal.aborted) return;
      if (!keep || (NOT_THE_FILE.has(answer.code) && !isGood)) return refused(photo, keep ? notPrepared(photo, "cannot-open", limits).text : text);
      Object.assign(photo, { ready: true, note: text });
    }
    changed(photo);
  }

  async function check(photo, signal) {
    if (photo.note) return;
    const loaded = await client.load(PHOTO);
    if (signal.aborted || (photo.verdict && (loaded.status !== "ready" || isSameModel(loaded.model, photo.verdict)))) return;
    let answer = await client.checkPhoto(photo.blob, { signal });
    if (answer.status === "superseded") answer = await client.checkPhoto(photo.blob, { signal }); // the idle worker had just been ended
    if (signal.aborted) return;
    if (answer.status === "verdict") {
      photo.verdict = answer.verdict;
      photo.timing = answer.timing;
      photo.unchecked = "";
      photo.second = null;
      photo.activation = answer.verdict.decision === "unsure" ? answer.activation : null;
    } else if (answer.status === "unavailable") {
      photo.unchecked = answer.reason;
    }
    changed(photo);
    if (answer.status === "verdict") judged(photo);
  }

  return {
    add,
    drop: (photo) => controllers.get(photo.id)?.abort(),
    /** Every photo added so far is ready for sending, or refused. */
    async prepared() {
      for (let last = null; last !== preparing; await last) last = preparing;
    },
    /** Every photo added so far is judged, or cannot be. */
    async checked() {
      for (let last = null; last !== checking; await last) last = checking;
    },
  };
}

function isSameModel(model, verdict) {
  return model.version === verdict.version && model.variant === verdict.variant && model.policies_version === verdict.policies_version;
}

async function opensHere(blob) {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
    return true;
  } catch {
    return false;
  } finally {
    URL.revokeObjectURL(url);
  }
}
