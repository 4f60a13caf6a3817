/**
 * Model sessions by content hash: bytes from the Cache API or the network, verified against the manifest, opened once.
 */
import { withPatch } from "./patch.js";

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
  return openedOnce(model.sha256, () => modelBytes(model).then(open));
}

/**
 * The session of a model with the release that counts besides its file, if there is any. Where its patch cannot be had,
 * or the file with it is not the one that the server knows, it is the session of the file alone, with the file's own
 * operating points: a release's are for its scores.
 * @returns {Promise<{session: object, release: number|null, points: object, problem: string}>} release: what the session works with
 */
export async function releasedSession(model, open, sources = {}) {
  const { release, operating_points: own } = model;
  const points = release?.operating_points ?? own;
  if (!release?.patch) return { session: await session(model, open), release: release?.number ?? null, points, problem: "" };
  const key = release.patch.patched_sha256;
  try {
    const [file, patch] = await Promise.all([modelBytes(model, sources), modelBytes(release.patch, sources)]);
    const patched = await withPatch(file, patch, release.patch);
    return { session: await openedOnce(key, () => open(patched)), release: release.number, points, problem: "" };
  } catch (error) {
    return { session: await session(model, open), release: null, points: own, problem: String(error.message ?? error) };
  }
}

/** Forget an opened session, for whoever gives its memory back. */
export function forget(closing) {
  for (const [key, promise] of opened) void promise.then((each) => each === closing && opened.delete(key), () => {});
}

function openedOnce(key, make) {
  const known = opened.get(key);
  if (known) return known;
  const promise = make();
  opened.set(key, promise);
  promise.catch(() => {
    if (opened.get(key) === promise) opened.delete(key);
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
  const named = Object.values(manifest.models).flatMap((model) => [model, model.release?.patch ?? model]);
  const current = new Set(named.map(({ sha256 }) => `/models/${sha256}`));
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
