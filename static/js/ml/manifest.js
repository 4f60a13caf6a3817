/**
 * What the browser may load: GET /api/models/manifest, checked before anything in it is used.
 */
import { DIMENSIONS } from "./vectors.js";

export class ManifestError extends Error {
  constructor(message) {
    super(message);
    this.name = "ManifestError";
    this.code = "manifest";
  }
}

/** @returns {Promise<object>} a validated manifest; throws ManifestError */
export async function fetchManifest(url, fetcher = globalThis.fetch) {
  let response;
  try {
    response = await fetcher(url, { credentials: "omit", headers: { Accept: "application/json" } });
  } catch {
    throw new ManifestError("The list of models could not be fetched.");
  }
  if (!response.ok) throw new ManifestError(`The list of models could not be fetched (${response.status}).`);
  let data;
  try {
    data = await response.json();
  } catch {
    throw new ManifestError("The list of models is not JSON.");
  }
  return validateManifest(data, response.url || url);
}

/**
 * Throws ManifestError unless every value used later is there and of its kind, and every URL is of our own origin.
 * @param {string} base the URL the manifest came from; may be relative (then only paths are accepted)
 */
export function validateManifest(data, base) {
  need(isObject(data) && data.manifest === 1, "unknown manifest version");
  need(isObject(data.runtime), "no runtime");
  needUrl(data.runtime.mjs, base, "runtime.mjs");
  needUrl(data.runtime.wasm, base, "runtime.wasm");
  need(isObject(data.models) && Object.keys(data.models).length > 0, "no models");
  for (const [name, model] of Object.entries(data.models)) validateModel(name, model, base);
  return data;
}

function validateModel(name, model, base) {
  need(isObject(model), `${name} is not an object`);
  need(isText(model.version), `${name}: no version`);
  need(isText(model.variant), `${name}: no variant`);
  needUrl(model.url, base, `${name}.url`);
  need(/^[0-9a-f]{64}$/.test(model.sha256), `${name}: sha256 is not 64 hex digits`);
  need(Number.isInteger(model.bytes) && model.bytes > 0, `${name}: bytes is not a size`);
  if ("space" in model) validateTower(name, model);
  else validateClassifier(name, model, base);
}

/** It answers with vectors of a space, not with labels; a query's bytes come in, or a number of events. */
function validateTower(name, { space, dimensions, window_bytes, events }) {
  need(isText(space), `${name}: no space`);
  need(dimensions === DIMENSIONS, `${name}: its vectors have another length`);
  const inputs = [window_bytes, events].filter((size) => size !== undefined);
  need(inputs.length === 1 && Number.isInteger(inputs[0]) && inputs[0] > 0, `${name}: neither window_bytes nor events is a size`);
}

function validateClassifier(name, model, base) {
  const { labels } = model;
  need(Array.isArray(labels) && labels.every(isText) && labels.includes("safe"), `${name}: labels without safe`);
  if ("longest_side" in model) validatePhotos(name, model);
  else need(Number.isInteger(model.window_bytes) && model.window_bytes >= 128, `${name}: window_bytes is not a size`);
  if (model.release !== undefined) validateRelease(name, model, base);
  validatePoints(name, model.operating_points, labels);
}

function validatePoints(name, points, labels) {
  need(isObject(points), `${name}: no operating points`);
  for (const point of ["unsure", "warn", "block", "coverage"]) {
    need(Number.isFinite(points[point]), `${name}: operating point ${point} is not a number`);
  }
  const { policies } = points;
  need(
    Array.isArray(policies) && policies.length > 0 && policies.every((id) => labels.includes(id)),
    `${name}: operating points name unknown policies`,
  );
}

/** What counts besides the file: a number, operating points in the place of the model's, a patch for the file's end. */
function validateRelease(name, { release, bytes, labels }, base) {
  need(isObject(release) && Number.isInteger(release.number) && release.number > 0, `${name}: the release has no number`);
  if (release.operating_points !== undefined) validatePoints(name, release.operating_points, labels);
  if (release.patch === undefined) return;
  const { patch } = release;
  need(isObject(patch), `${name}: the patch is not an object`);
  needUrl(patch.url, base, `${name}.release.patch.url`);
  for (const key of ["sha256", "patched_sha256"]) need(/^[0-9a-f]{64}$/.test(patch[key]), `${name}: ${key} of the patch is not 64 hex digits`);
  need(Number.isInteger(patch.bytes) && patch.bytes > 0 && patch.bytes <= 20_000, `${name}: bytes of the patch is not a size`);
  need(Number.isInteger(patch.replaces) && patch.replaces > 0 && patch.replaces < bytes, `${name}: the patch replaces nothing`);
}

function validatePhotos(name, { longest_side, labels, outputs }) {
  need(Number.isInteger(longest_side) && longest_side >= 32, `${name}: longest_side is not a size`);
  const shape = outputs?.heat?.shape;
  const isGrid = Array.isArray(shape) && shape.length === 3 && shape.every((count) => Number.isInteger(count) && count > 0);
  need(isGrid && shape[2] === labels.length, `${name}: the heat map is no grid of labels`);
}

function needUrl(value, base, what) {
  need(isText(value), `${what} is missing`);
  // Only our own origin: the page's security policy would refuse anything else with a less helpful message.
  const home = new URL(base, "http://same.invalid/");
  let target;
  try {
    target = new URL(value, home);
  } catch {
    throw new ManifestError(`The list of models is not usable: ${what} is not an address.`);
  }
  need(target.origin === home.origin, `${what} is on another site`);
}

function need(condition, what) {
  if (!condition) throw new ManifestError(`The list of models is not usable: ${what}.`);
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value) => typeof value === "string" && value !== "";
