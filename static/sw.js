/**
 * Service worker: after the first visit the sell page works offline.
 *
 * Kept: content-hashed static files (cache first), the list of models and the rules (network first), the sell page as
 * an empty shell fetched without cookies, and the id of the account whose drafts an offline page may show.
 * Never kept: any page or answer with an account's data. Shell and id go at sign-out. Model bytes are kept by the
 * model worker itself, by their SHA-256, in the cache "models".
 */

const STATIC = "static";
const PUBLIC = "public";
const ACCOUNT = "account";
const KNOWN = new Set([STATIC, PUBLIC, ACCOUNT, "models"]);
const SHELL = "/__shell";
const OWNER = "/__owner";
const SELL_NEW = "/sell/new/";
const SIGN_OUT = "/accounts/sign-out/";
const PUBLIC_DATA = new Set(["/api/models/manifest", "/api/policies"]);
const HASHED = /^\/static\/.+\.[0-9a-f]{12}\.[a-z0-9]+$/;
const MODEL = /\.onnx$/;

addEventListener("install", () => skipWaiting());

addEventListener("activate", (event) => event.waitUntil(dropOldCaches().then(() => clients.claim())));

addEventListener("message", (event) => {
  if (event.data?.type === "keep") event.waitUntil(keep(event.data));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === "POST" && url.pathname === SIGN_OUT) {
    event.waitUntil(caches.delete(ACCOUNT));
    return;
  }
  if (request.method !== "GET") return;
  if (isKeptStatic(url)) event.respondWith(fromCacheFirst(request));
  else if (PUBLIC_DATA.has(url.pathname)) event.respondWith(fromNetworkFirst(request));
  else if (request.mode === "navigate" && url.pathname.startsWith("/sell/")) event.respondWith(page(request, url));
});

const isKeptStatic = (url) => HASHED.test(url.pathname) && !MODEL.test(url.pathname);

async function dropOldCaches() {
  for (const name of await caches.keys()) if (!KNOWN.has(name)) await caches.delete(name);
}

async function fromCacheFirst(request) {
  const cache = await caches.open(STATIC);
  const kept = await cache.match(request.url, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.status === 200) await put(cache, request.url, response.clone());
  return response;
}

async function fromNetworkFirst(request) {
  const cache = await caches.open(PUBLIC);
  try {
    const response = await fetch(request);
    if (response.status === 200) await put(cache, request.url, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request.url, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

async function page(request, url) {
  try {
    return await fetch(request);
  } catch {
    const shell = url.pathname === SELL_NEW ? await (await caches.open(ACCOUNT)).match(SHELL) : undefined;
    return shell ?? offlinePage();
  }
}

function offlinePage() {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>You are offline</title><h1>You are offline</h1><p>Your drafts are safe on this device.</p>
<p><a href="${SELL_NEW}">Go on writing</a></p></html>`;
  return new Response(html, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
}

/** What the sell page has loaded, so that the next visit needs no network. */
async function keep({ owner, shell, data, urls }) {
  const cache = await caches.open(STATIC);
  const wanted = urls.map((url) => new URL(url)).filter((url) => url.origin === location.origin && isKeptStatic(url));
  const kept = await Promise.all(wanted.map((url) => add(cache, url.href)));
  await dropOlderFiles(cache, wanted);
  const open = await caches.open(PUBLIC);
  await Promise.all(data.map((url) => add(open, new URL(url, location.href).href)));
  // A page with a file missing would be dead: better none, which says that one is offline.
  if (owner && kept.every(Boolean)) await keepShell(owner, shell);
}

async function keepShell(owner, shell) {
  try {
    // Without cookies: whatever the server puts into this page, it cannot be an account's.
    const response = await fetch(shell, { credentials: "omit", cache: "no-store" });
    if (response.status !== 200 || response.redirected) return;
    const cache = await caches.open(ACCOUNT);
    await cache.put(SHELL, response);
    await cache.put(OWNER, new Response(owner));
  } catch {
    // The next visit tries again.
  }
}

/** @returns {Promise<boolean>} false when the file is not there: the next visit tries again */
async function add(cache, url) {
  try {
    if (await cache.match(url, { ignoreVary: true })) return true;
    const response = await fetch(url, { credentials: "omit" });
    if (response.status === 200) await put(cache, url, response);
    return response.status === 200;
  } catch {
    return false;
  }
}

async function put(cache, url, response) {
  try {
    await cache.put(url, response);
  } catch {
    // Full disk: the page works from the network.
  }
}

/** Other versions of the files just kept: same name, another hash. */
async function dropOlderFiles(cache, wanted) {
  const plain = (pathname) => pathname.replace(/\.[0-9a-f]{12}(\.[a-z0-9]+)$/, "$1");
  const current = new Map(wanted.map((url) => [plain(url.pathname), url.pathname]));
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    const kept = current.get(plain(pathname));
    if (kept && kept !== pathname) await cache.delete(request);
  }
}
