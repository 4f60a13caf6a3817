/** The page's side of working offline: registers the service worker and tells it what this page needs. */

const ACCOUNT_CACHE = "account"; // emptied by the service worker at sign-out
const OWNER = "/__owner";

/** @param {DOMStringMap} page data of the form @param {string[]} resources URLs that the model worker loaded */
export async function keepOffline(page, resources) {
  if (!("serviceWorker" in navigator) || !page.serviceWorkerUrl) return;
  try {
    await navigator.serviceWorker.register(page.serviceWorkerUrl, { scope: "/" });
    const { active } = await navigator.serviceWorker.ready;
    const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
    const urls = [...new Set([...loaded, ...resources, new URL(page.workerUrl, location.href).href])];
    active.postMessage({
      type: "keep",
      owner: page.owner,
      shell: page.shellUrl,
      data: [page.manifestUrl, page.policiesUrl],
      urls: urls.filter((url) => new URL(url).origin === location.origin),
    });
  } catch {
    // Offline use is an extra: without it the page works as before.
  }
}

/** Whose drafts an offline page may show: the account last used here, until it signs out. */
export async function rememberedOwner() {
  try {
    const response = await (await caches.open(ACCOUNT_CACHE)).match(OWNER);
    return response ? await response.text() : "";
  } catch {
    return "";
  }
}
