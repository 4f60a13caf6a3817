import assert from "node:assert/strict";
import { test } from "node:test";
import { fetchManifest, ManifestError, validateManifest } from "../../static/js/ml/manifest.js";

const BASE = "https://market.example/api/models/manifest";

function manifest(change = () => {}) {
  const data = {
    manifest: 1,
    runtime: { mjs: "/static/ort/loader.mjs", wasm: "/static/ort/runtime.wasm" },
    models: {
      "listing-text": {
        version: "1",
        variant: "int8",
        labels: ["drugs", "safe"],
        window_bytes: 2048,
        operating_points: { policies: ["drugs"], unsure: 0.1, warn: 0.5, block: 0.9, coverage: 0.3, evidence_floor: 0.3 },
        url: "/static/models/text.onnx",
        sha256: "a".repeat(64),
        bytes: 1000,
      },
    },
  };
  change(data, data.models["listing-text"]);
  return data;
}

test("a whole manifest is accepted", () => {
  assert.equal(validateManifest(manifest(), BASE).manifest, 1);
});

function withPhotos(change = () => {}) {
  return manifest((data, text) => {
    const { window_bytes: _window, ...common } = text;
    const photo = { ...common, longest_side: 256, outputs: { heat: { shape: [8, 8, 2] } } };
    data.models["listing-photo"] = photo;
    change(photo);
  });
}

test("a photo model has a longest side and a grid instead of a window", () => {
  assert.equal(validateManifest(withPhotos(), BASE).models["listing-photo"].longest_side, 256);
});

const broken = {
  "not an object": () => null,
  "another version": () => manifest((data) => (data.manifest = 2)),
  "no runtime": () => manifest((data) => delete data.runtime),
  "a runtime on another site": () => manifest((data) => (data.runtime.wasm = "https://elsewhere.example/x.wasm")),
  "a model on another site": () => manifest((_, model) => (model.url = "//elsewhere.example/x.onnx")),
  "a data URL as model": () => manifest((_, model) => (model.url = "data:application/octet-stream,x")),
  "no models": () => manifest((data) => (data.models = {})),
  "a photo model without a side": () => withPhotos((photo) => (photo.longest_side = 0)),
  "a photo model without a grid": () => withPhotos((photo) => delete photo.outputs),
  "a photo model with half a grid": () => withPhotos((photo) => (photo.outputs.heat.shape = [8, 2])),
  "a photo model whose grid has other labels": () => withPhotos((photo) => (photo.outputs.heat.shape = [8, 8, 3])),
  "a model that is for neither": () => withPhotos((photo) => delete photo.longest_side),
  "a short hash": () => manifest((_, model) => (model.sha256 = "abc")),
  "a size that is text": () => manifest((_, model) => (model.bytes = "1000")),
  "labels without safe": () => manifest((_, model) => (model.labels = ["drugs"])),
  "a window of nothing": () => manifest((_, model) => (model.window_bytes = 0)),
  "a threshold that is text": () => manifest((_, model) => (model.operating_points.warn = "0.5")),
  "a policy that is no label": () => manifest((_, model) => (model.operating_points.policies = ["other"])),
};
for (const [name, make] of Object.entries(broken)) {
  test(`refused: ${name}`, () => {
    assert.throws(() => validateManifest(make(), BASE), ManifestError);
  });
}

test("a failed fetch, an error page and broken JSON all become a ManifestError", async () => {
  const answers = [
    () => Promise.reject(new TypeError("offline")),
    async () => new Response("gone", { status: 404 }),
    async () => new Response("<!doctype html>"),
  ];
  for (const answer of answers) await assert.rejects(fetchManifest(BASE, answer), ManifestError);
});

test("the manifest is asked for without cookies", async () => {
  let options = null;
  await fetchManifest(BASE, async (_url, given) => {
    options = given;
    return Response.json(manifest());
  });
  assert.equal(options.credentials, "omit");
});
