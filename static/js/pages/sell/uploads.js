/**
 * Sends photos one at a time, says how far each is, tries again after a lost connection, and goes on where it stopped.
 * No DOM and no network of its own: `send` does that (upload_transport.js).
 *
 * What it keeps in a photo: upload {state: "sending"|"again"|"refused"|"stopped", share: 0..1, message},
 * and stored {id, thumb, at} once the server has it.
 */

const WAITS_MS = [1000, 2000, 4000, 8000];
// The server lets go of a photo that no listing took. Sending it again is cheap: it answers with the one it has.
const STORED_FOR_MS = 60 * 60 * 1000;

/**
 * @param {{send: (photo: object, onShare: (share: number) => void, signal: AbortSignal) => Promise<object>,
 *   changed: (photo: object) => void, wait?: (ms: number, signal: AbortSignal) => Promise<void>, now?: () => number}} options
 *   send answers {status: "stored", photo} | {status: "refused", message} | {status: "lost", message?} | {status: "ended", message}
 */
export function createUploads({ send, changed, wait = pause, now = Date.now }) {
  const running = new Map(); // photo id → AbortController

  const isStored = (photo) => Boolean(photo.server || (photo.stored && now() - photo.stored.at < STORED_FOR_MS));

  function set(photo, upload) {
    photo.upload = upload;
    changed(photo);
  }

  /** @returns {Promise<"stored"|"refused"|"lost"|"ended"|"removed">} */
  async function sendOne(photo) {
    const controller = new AbortController();
    running.set(photo.id, controller);
    const { signal } = controller;
    try {
      for (let attempt = 0; ; attempt += 1) {
        set(photo, { state: "sending", share: 0 });
        const answer = await send(photo, (share) => !signal.aborted && set(photo, { state: "sending", share }), signal);
        if (signal.aborted) return "removed";
        if (answer.status === "stored" && isSame(photo, answer.photo)) {
          photo.stored = { id: String(answer.photo.id), thumb: answer.photo.thumb, at: now() };
          set(photo, null);
          return "stored";
        }
        if (answer.status === "refused") {
          set(photo, { state: "refused", message: answer.message });
          return "refused";
        }
        if (answer.status === "ended") {
          set(photo, { state: "stopped", message: answer.message });
          return "ended";
        }
        if (attempt === WAITS_MS.length) {
          set(photo, { state: "stopped", message: answer.message ?? "The connection was lost before this photo had arrived." });
          return "lost";
        }
        set(photo, { state: "again", share: 0 });
        await wait(WAITS_MS[attempt], signal);
        if (signal.aborted) return "removed";
      }
    } finally {
      running.delete(photo.id);
    }
  }

  /**
   * Send what is not there yet, in the order of the list, which may change meanwhile.
   * @param {() => object[]} photos asked anew after every photo
   * @returns {Promise<{status: "sent"|"refused"|"lost"|"ended", message?: string}>}
   */
  async function sendAll(photos) {
    const tried = new Set();
    const nextOne = () => photos().find((photo) => !isStored(photo) && !tried.has(photo.id));
    for (let photo = nextOne(); photo; photo = nextOne()) {
      tried.add(photo.id);
      const outcome = await sendOne(photo);
      if (outcome === "lost" || outcome === "ended") return { status: outcome, message: photo.upload.message };
    }
    return { status: photos().every(isStored) ? "sent" : "refused" };
  }

  return {
    sendAll,
    sendOne,
    isStored,
    /** The photo was taken out of the list. */
    drop: (photo) => running.get(photo.id)?.abort(),
    get busy() {
      return running.size > 0;
    },
  };
}

/** What arrived is what was sent; anything else was damaged on its way. */
function isSame(photo, answer) {
  return !photo.sha256 || !answer.sha256 || photo.sha256 === answer.sha256;
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
