/** One photo to POST /api/photos, with its progress (which fetch does not tell). Never rejects. */

const STALL_MS = 30_000; // without a byte moving
const LOST = { status: "lost" };

/**
 * @param {{url: string, csrfToken: string, XHR?: typeof XMLHttpRequest}} options
 * @returns {(photo: {blob: Blob, name: string}, onShare: (share: number) => void, signal: AbortSignal) => Promise<object>}
 */
export function createTransport({ url, csrfToken, XHR = globalThis.XMLHttpRequest }) {
  return (photo, onShare, signal) =>
    new Promise((resolve) => {
      const request = new XHR();
      let stall = null;
      const alive = () => {
        clearTimeout(stall);
        stall = setTimeout(() => request.abort(), STALL_MS);
      };
      const done = (answer) => {
        clearTimeout(stall);
        resolve(answer);
      };
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        alive();
        if (total > 0) onShare(loaded / total);
      });
      request.addEventListener("load", () => done(read(request.status, request.responseText)));
      for (const kind of ["error", "abort", "timeout"]) request.addEventListener(kind, () => done(LOST));
      signal.addEventListener("abort", () => request.abort(), { once: true });
      const body = new FormData();
      body.append("photo", photo.blob, photo.name);
      request.open("POST", url);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", csrfToken);
      alive();
      request.send(body);
    });
}

/** An answer of the server as the uploads understand it. */
export function read(status, text) {
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // An error page of a proxy: its status tells enough.
  }
  if ((status === 200 || status === 201) && body?.id !== undefined) return { status: "stored", photo: body };
  const message = body?.error?.message;
  if (status === 401 || status === 403) {
    return { status: "ended", message: message ?? "You are signed out. Sign in again in another tab, then go on here." };
  }
  if (status === 429) return { status: "ended", message: message ?? "Too many photos at once. Wait a minute, then go on." };
  if (status >= 400 && status < 500 && status !== 408) {
    return { status: "refused", message: message ?? "The server could not take this photo. Choose another one." };
  }
  return message ? { ...LOST, message } : LOST; // a disk that is full or a server that is busy may not be so in a moment
}
