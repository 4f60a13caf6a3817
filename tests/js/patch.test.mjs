// A release on top of the published text model: the same file as the server makes, or the file alone, and said so.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { validateManifest } from "../../static/js/ml/manifest.js";
import { withPatch } from "../../static/js/ml/patch.js";
import { dropOldModels, releasedSession } from "../../static/js/ml/sessions.js";
import { versionOf } from "../../static/js/ml/check.js";
import { createClient } from "../../static/js/ml/client.js";

const here = (path) => new URL(`../../${path}`, import.meta.url);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const text = (string) => new TextEncoder().encode(string);

const FILE = text("a model's file, and nothing");
const PATCH = text("a patch");
const ENDING = text("nothing").length;
const PATCHED = text("a model's file, and a patch");

function entry({ file = FILE, patch = PATCH, patched = PATCHED, number = 12 } = {}) {
  const about = (bytes, url) => ({ url, bytes: bytes.length, sha256: sha256(bytes) });
  return { version: "5", ...about(file, "/m.onnx"), release: { number, patch: { ...about(patch, "/p"), replaces: ENDING, patched_sha256: sha256(patched) } } };
}

const open = async (bytes) => ({ bytes: new TextDecoder().decode(bytes), release: async () => {} });
const sources = (patch = PATCH) => ({ caches: undefined, fetcher: async (url) => new Response(url === "/p" ? patch : FILE) });

test("the patch takes the place of the file's end, and the hash of the whole is looked at", async () => {
  assert.deepEqual(await withPatch(FILE, PATCH, entry().release.patch), PATCHED);
  await assert.rejects(withPatch(FILE, text("a patsh"), entry().release.patch), /does not fit/);
});

test("a session works with the release, and says which", async () => {
  const found = await releasedSession(entry(), open, sources());
  assert.equal(found.session.bytes, "a model's file, and a patch");
  assert.deepEqual([found.release, found.problem], [12, ""]);
  assert.equal(versionOf("5", found.release), "5+p12");
  assert.equal(versionOf("5", null), "5");
});

test("a damaged patch, or one for another file, leaves the file alone and says so", async (context) => {
  context.mock.method(globalThis, "fetch", async () => new Response(FILE));
  const damaged = await releasedSession(entry(), open, sources(text("a p@tch")));
  const strange = await releasedSession(entry({ patched: text("something else") }), open, sources());
  for (const found of [damaged, strange]) {
    assert.equal(found.session.bytes, "a model's file, and nothing");
    assert.equal(found.release, null);
    assert.notEqual(found.problem, "");
  }
});

test("a release brings its own operating points; without its patch the file's count, for they are for its scores", async (context) => {
  context.mock.method(globalThis, "fetch", async () => new Response(FILE));
  const own = { unsure: 0.2, block: 0.9 };
  const released = { unsure: 0.3, block: 0.8 };
  const model = { ...entry(), operating_points: own };
  const with_points = { ...model, release: { ...model.release, operating_points: released } };
  assert.deepEqual((await releasedSession(with_points, open, sources())).points, released);
  const damaged = await releasedSession(with_points, open, sources(text("a p@tch")));
  assert.deepEqual([damaged.points, damaged.release], [own, null]);
  assert.deepEqual((await releasedSession({ ...model, release: { number: 3, operating_points: released } }, open)).points, released);
});

test("a release without a patch is thresholds alone", async (context) => {
  context.mock.method(globalThis, "fetch", async () => new Response(FILE));
  const found = await releasedSession({ ...entry(), release: { number: 3 } }, open);
  assert.equal(found.session.bytes, "a model's file, and nothing");
  assert.equal(found.release, 3);
});

test("the patch of the list stays in the cache, an older one leaves it", async () => {
  const kept = new Set([sha256(FILE), sha256(PATCH), "0".repeat(64)].map((hash) => `/models/${hash}`));
  const cache = { keys: async () => [...kept].map((path) => ({ url: `https://market.example${path}` })), delete: async ({ url }) => kept.delete(new URL(url).pathname) };
  await dropOldModels({ models: { "listing-text": entry() } }, { open: async () => cache });
  assert.deepEqual([...kept], [`/models/${sha256(FILE)}`, `/models/${sha256(PATCH)}`]);
});

test("the list is refused when a release in it is none", () => {
  const labels = ["drugs", "safe"];
  const points = { unsure: 0.2, warn: 0.8, block: 0.9, coverage: 0.3, policies: ["drugs"] };
  const listed = (release) => ({
    manifest: 1,
    runtime: { mjs: "/a.mjs", wasm: "/a.wasm" },
    models: { "listing-text": { ...entry(), variant: "int8", bytes: 1000, labels, window_bytes: 512, operating_points: points, release } },
  });
  const { release } = entry();
  validateManifest(listed(release), "/api/models/manifest");
  validateManifest(listed({ number: 3 }), "/api/models/manifest");
  const wrong = [
    {}, { number: 0 }, { number: "12" },
    ...[{ url: "https://elsewhere.example/p" }, { sha256: "12" }, { replaces: 0 }, { replaces: 1000 }, { bytes: 30_000 }, { patched_sha256: "" }]
      .map((change) => ({ number: 12, patch: { ...release.patch, ...change } })),
  ];
  for (const each of wrong) assert.throws(() => validateManifest(listed(each), "/api/models/manifest"), { name: "ManifestError" });
});

test("the published file with the golden patch is the file that Python makes", async () => {
  const golden = JSON.parse(readFileSync(here("tests/golden/listing_text.json"), "utf8"));
  const about = JSON.parse(readFileSync(here("models/published/manifest.json"), "utf8")).models["listing-text"];
  const file = readFileSync(here(`models/published/${about.variants[about.published.device].file}`));
  const patched = await withPatch(file, Buffer.from(golden.patch, "base64"), golden);
  assert.equal(sha256(patched), golden.patched_sha256);
});

function clientWith(list, posted) {
  const listeners = new Map();
  const worker = {
    addEventListener: (kind, hear) => listeners.set(kind, hear),
    terminate: () => {},
    postMessage: (message) => {
      posted.push(message.type);
      const { number = null } = list.release ?? {};
      const { version = "5", sha256 = "aa" } = list;
      const model = { name: "listing-text", version: versionOf(version, number), release: number, sha256 };
      if (message.type === "load") queueMicrotask(() => listeners.get("message")({ data: { type: "ready", model, ms: 1 } }));
    },
  };
  const fetcher = async () => {
    if (list.away) throw new TypeError("failed");
    return Response.json({ models: { "listing-text": { version: "5", sha256: "aa", ...list } } });
  };
  return createClient({ workerUrl: "/w.js", manifestUrl: "/m", spawn: () => worker, fetcher });
}

test("an open page comes to know of another release, once, and loads it", async () => {
  const [list, posted] = [{}, []];
  const client = clientWith(list, posted);
  assert.equal(await client.renewed(), false, "nothing was loaded yet");
  await client.load();
  assert.equal(await client.renewed(), false, "the same list");
  list.away = true;
  assert.equal(await client.renewed(), false, "offline one goes on with what there is");
  Object.assign(list, { away: false, release: { number: 12 } });
  assert.equal(await client.renewed(), true);
  assert.equal((await client.load()).model.version, "5+p12");
  assert.equal(await client.renewed(), false);
  delete list.release;
  assert.equal(await client.renewed(), true, "rolled back");
  assert.equal((await client.load()).model.version, "5");
  assert.deepEqual(posted, ["load", "renew", "load", "renew", "load"]);
});

test("it comes to know of another file of the model too, also of one of the same version", async () => {
  const [list, posted] = [{}, []];
  const client = clientWith(list, posted);
  await client.load();
  Object.assign(list, { version: "4", sha256: "bb", release: { number: 13 } });
  assert.equal(await client.renewed(), true);
  assert.equal((await client.load()).model.version, "4+p13");
  assert.equal(await client.renewed(), false);
  list.sha256 = "cc";
  assert.equal(await client.renewed(), true);
  await client.load();
  assert.equal(await client.renewed(), false);
});
