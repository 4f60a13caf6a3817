/**
 * Model sessions by content hash: bytes from the Cache API or the network, verified against the manifest, opened once.
 */

const CACHE = "models";
const opened = new Map(); // sha256 → promise of a session

export class ModelError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "ModelError";
    this.code = code;
  }
}

/**
 * The session of a manifest entry. The promise is what is kept, so two callers never load twice; a failure is
 * forgotten, so that the next caller tries again.
 * @param {{url: string, sha256: string, bytes: number}} model
 * @param {(bytes: Uint8Array) => Promise<object>} open makes a session of verified bytes
 */
export function session(model, open) {
  const known = opened.get(model.sha256);
  if (known) return known;
  const promise = modelBytes(model).then(open);
  opened.set(model.sha256, promise);
  promise.catch(() => {
    if (opened.get(model.sha256) === promise) opened.delete(model.sha256);
  });
  return promise;
}

/** @returns {Promise<Uint8Array>} bytes whose SHA-256 is the manifest's; throws ModelError */
export async function modelBytes(model, { caches = globalThis.caches, fetcher = globalThis.fetch } = {}) {
  const cache = await openCache(caches);
  const key = `/models/${model.sha256}`;
  const kept = await fromCache(cache, key);
  if (kept) {
    if (await matches(kept, model)) return kept;
    await cache.delete(key);
  }
  const bytes = await download(model, fetcher);
  if (!(await matches(bytes, model))) {
    throw new ModelError("model-corrupt", "The model arrived damaged.");
  }
  await keep(cache, key, bytes);
  return bytes;
}

/** Drop cached models that the manifest no longer names. */
export async function dropOldModels(manifest, caches = globalThis.caches) {
  const cache = await openCache(caches);
  if (!cache) return;
  const current = new Set(Object.values(manifest.models).map((model) => `/models/${model.sha256}`));
  for (const request of await cache.keys()) {
    if (!current.has(new URL(request.url).pathname)) await cache.delete(request);
  }
}

async function download(model, fetcher) {
  let response;
  try {
    response = await fetcher(model.url, { credentials: "omit" });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new ModelError("model-download", "The model could not be downloaded.");
  }
  throw new ModelError("model-download", `The model could not be downloaded (${response.status}).`);
}

async function matches(bytes, model) {
  if (bytes.byteLength !== model.bytes) return false;
  if (!globalThis.crypto?.subtle) {
    throw new ModelError("insecure", "The model cannot be verified: this page was not opened over a secure connection.");
  }
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("") === model.sha256;
}

// The cache only saves time: blocked storage or a full disk must not stop a check.
async function openCache(caches) {
  try {
    return (await caches?.open(CACHE)) ?? null;
  } catch {
    return null;
  }
}

async function fromCache(cache, key) {
  try {
    const response = await cache?.match(key);
    return response ? new Uint8Array(await response.arrayBuffer()) : null;
  } catch {
    return null;
  }
}

async function keep(cache, key, bytes) {
  try {
    await cache?.put(key, new Response(bytes, { headers: { "Content-Type": "application/octet-stream" } }));
  } catch {
    // Full disk: it will be downloaded again.
  }
}
