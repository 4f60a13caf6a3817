/**
 * The towers on the device: a search's words → a vector, and the last events → a few interests. The model run is
 * passed in, so that this file needs no runtime.
 */
import { KINDS } from "./events.js";
import { DIMENSIONS, quantize, toUnit } from "./vectors.js";

/**
 * @param {string} text a search
 * @param {{window_bytes: number}} model entry of the manifest
 * @param {(bytes: Uint8Array) => Promise<Float32Array>} run
 * @returns {Promise<Int8Array|null>} null when nothing in the text means anything to the tower
 */
export async function embedQuery(text, model, run) {
  const bytes = cut(new TextEncoder().encode(text), model.window_bytes);
  if (bytes.length === 0) return null;
  return quantize(await run(bytes));
}

/** Cut to a number of bytes, between characters. */
function cut(bytes, most) {
  if (bytes.length <= most) return bytes;
  let end = most;
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end -= 1;
  return bytes.slice(0, end);
}

/**
 * @param {Array<{kind: string, vector: Int8Array, age: number}>} events oldest first; age in days
 * @param {{events: number}} model entry of the manifest
 * @param {(vectors: Float32Array, kinds: BigInt64Array, ages: Float32Array) => Promise<Float32Array>} run
 * @returns {Promise<Float32Array[]>} unit vectors; none without events
 */
export async function interestsOf(events, model, run) {
  const last = events.filter(({ vector }) => vector).slice(-model.events);
  if (last.length === 0) return [];
  const vectors = new Float32Array(last.length * DIMENSIONS);
  last.forEach(({ vector }, at) => vectors.set(toUnit(vector), at * DIMENSIONS));
  const kinds = BigInt64Array.from(last, ({ kind }) => BigInt(KINDS.indexOf(kind)));
  const ages = Float32Array.from(last, ({ age }) => age);
  const flat = await run(vectors, kinds, ages);
  const found = [];
  for (let at = 0; at + DIMENSIONS <= flat.length; at += DIMENSIONS) {
    const interest = flat.slice(at, at + DIMENSIONS);
    if (interest.every(Number.isFinite) && interest.some((value) => value !== 0)) found.push(toUnit(interest));
  }
  return found;
}
