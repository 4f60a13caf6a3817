/**
 * A second opinion on a photo that this device is not sure about: the numbers its model worked out at the split (a few
 * KB, not the photo) go to the larger half of the model on the server. Only when the merchant asks, or once allowed it
 * on this device.
 */

const ALLOWED = "second-opinion"; // in localStorage, "1" when the merchant allowed it for every unsure photo
const WAIT_MS = 10_000;

/**
 * @param {{url: string, csrfToken: string, fetcher?: typeof fetch}} options
 * @returns {(activation: Uint8Array, verdict: {model: string, version: string}) => Promise<object>}
 *   {status: "verdict", verdict} | {status: "offline"} | {status: "failed", message}
 */
export function createSecondOpinion({ url, csrfToken, fetcher = (...args) => fetch(...args) }) {
  return async (activation, { model, version }) => {
    let response;
    try {
      response = await fetcher(`${url}?${new URLSearchParams({ model, version })}`, {
        method: "POST",
        credentials: "same-origin",
        headers: { Accept: "application/json", "Content-Type": "application/octet-stream", "X-CSRFToken": csrfToken },
        body: activation,
        signal: AbortSignal.timeout(WAIT_MS),
      });
    } catch {
      return { status: "offline" };
    }
    let body = null;
    try {
      body = await response.json();
    } catch {
      // An error page: its status tells enough.
    }
    if (response.ok && typeof body?.decision === "string") return { status: "verdict", verdict: body };
    return { status: "failed", message: body?.error?.message ?? `The server answered ${response.status}.` };
  };
}

export function isAllowed() {
  try {
    return localStorage.getItem(ALLOWED) === "1";
  } catch {
    return false;
  }
}

export function allow(yes) {
  try {
    if (yes) localStorage.setItem(ALLOWED, "1");
    else localStorage.removeItem(ALLOWED);
  } catch {
    // Storage is blocked: asked again on the next page.
  }
}
