import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { dropOldModels, modelBytes, session } from "../../static/js/ml/sessions.js";

const BYTES = new TextEncoder().encode("a model, for this test");

function entry(bytes = BYTES) {
  return { url: "/static/models/m.onnx", bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** The part of the Cache API that is used. */
function fakeCaches() {
  const kept = new Map();
  const name = (key) => (typeof key === "string" ? key : new URL(key.url).pathname);
  return {
    kept,
    open: async () => ({
      match: async (key) => kept.get(name(key))?.clone(),
      put: async (key, response) => void kept.set(name(key), response),
      delete: async (key) => kept.delete(name(key)),
      keys: async () => [...kept.keys()].map((key) => ({ url: `https://market.example${key}` })),
    }),
  };
}

function counting(answer) {
  const fetcher = async () => {
    fetcher.calls += 1;
    return answer();
  };
  fetcher.calls = 0;
  return fetcher;
}

test("bytes come from the network once, then from the cache, by content hash", async () => {
  const caches = fakeCaches();
  const fetcher = counting(() => new Response(BYTES));
  assert.deepEqual(await modelBytes(entry(), { caches, fetcher }), BYTES);
  assert.deepEqual(await modelBytes(entry(), { caches, fetcher }), BYTES);
  assert.equal(fetcher.calls, 1);
  assert.deepEqual([...caches.kept.keys()], [`/models/${entry().sha256}`]);
});

test("damaged bytes are refused and not kept", async () => {
  const caches = fakeCaches();
  const damaged = Uint8Array.from(BYTES);
  damaged[3] ^= 1;
  const fetcher = counting(() => new Response(damaged));
  await assert.rejects(modelBytes(entry(), { caches, fetcher }), { code: "model-corrupt" });
  assert.equal(caches.kept.size, 0);
});

test("a cache that was tampered with is emptied and the model fetched anew", async () => {
  const caches = fakeCaches();
  caches.kept.set(`/models/${entry().sha256}`, new Response("something else, as long"));
  const fetcher = counting(() => new Response(BYTES));
  assert.deepEqual(await modelBytes(entry(), { caches, fetcher }), BYTES);
  assert.equal(fetcher.calls, 1);
});

test("a missing file and a dead line are download failures", async () => {
  const missing = counting(() => new Response("not here", { status: 404 }));
  const dead = counting(() => Promise.reject(new TypeError("failed")));
  for (const fetcher of [missing, dead]) {
    await assert.rejects(modelBytes(entry(), { caches: fakeCaches(), fetcher }), { code: "model-download" });
  }
});

test("blocked or full storage does not stop a check", async () => {
  const blocked = { open: () => Promise.reject(new DOMException("no", "SecurityError")) };
  const full = {
    open: async () => ({
      match: async () => undefined,
      put: () => Promise.reject(new DOMException("full", "QuotaExceededError")),
    }),
  };
  for (const caches of [blocked, full, undefined]) {
    assert.deepEqual(await modelBytes(entry(), { caches, fetcher: counting(() => new Response(BYTES)) }), BYTES);
  }
});

test("two callers share one session; a failed one is forgotten", async (context) => {
  let opened = 0;
  let broken = true;
  const bytes = new TextEncoder().encode("another model");
  context.mock.method(globalThis, "fetch", async () => new Response(bytes));
  const open = async () => {
    opened += 1;
    if (broken) throw new Error("out of memory");
    return { name: "session" };
  };
  await assert.rejects(session(entry(bytes), open), /out of memory/);
  broken = false;
  const [first, second] = await Promise.all([session(entry(bytes), open), session(entry(bytes), open)]);
  assert.equal(first, second);
  assert.equal(opened, 2);
});

test("models that the manifest no longer names leave the cache", async () => {
  const caches = fakeCaches();
  caches.kept.set(`/models/${entry().sha256}`, new Response(BYTES));
  caches.kept.set(`/models/${"0".repeat(64)}`, new Response("old"));
  await dropOldModels({ models: { "listing-text": entry() } }, caches);
  assert.deepEqual([...caches.kept.keys()], [`/models/${entry().sha256}`]);
});
