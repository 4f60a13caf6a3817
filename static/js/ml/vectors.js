/**
 * Vectors of the towers as the device holds them: unit vectors of 128, a byte each (round(127 x), as on the wire).
 */

export const DIMENSIONS = 128;
const SCALE = 127;

/** @returns {Int8Array|null} null when the text is not base64 of exactly 128 bytes, or holds a vector of zeros */
export function fromBase64(text) {
  if (typeof text !== "string" || text === "") return null;
  let bytes;
  try {
    bytes = atob(text);
  } catch {
    return null;
  }
  if (bytes.length !== DIMENSIONS) return null;
  const vector = Int8Array.from(bytes, (char) => (char.charCodeAt(0) << 24) >> 24);
  return vector.some((value) => value !== 0) ? vector : null;
}

export function toBase64(vector) {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.length);
  return btoa(String.fromCharCode(...bytes));
}

/** @param {ArrayLike<number>} floats [128], any length @returns {Int8Array|null} null where there is no direction */
export function quantize(floats) {
  const length = Math.hypot(...floats);
  if (floats.length !== DIMENSIONS || !(length > 0) || !Number.isFinite(length)) return null;
  return Int8Array.from(floats, (value) => Math.round((SCALE * value) / length));
}

/** @returns {Float32Array} the same direction, length 1 */
export function toUnit(vector) {
  const length = Math.hypot(...vector) || 1;
  return Float32Array.from(vector, (value) => value / length);
}

/** Cosine of two vectors, whatever their lengths. */
export function cosine(a, b) {
  let [dot, ofA, ofB] = [0, 0, 0];
  for (let at = 0; at < a.length; at += 1) {
    dot += a[at] * b[at];
    ofA += a[at] * a[at];
    ofB += b[at] * b[at];
  }
  return ofA > 0 && ofB > 0 ? dot / Math.sqrt(ofA * ofB) : 0;
}

/**
 * The vector with something random added, so that less can be read back from it.
 * @param {number} amount expected length of what is added; the vector itself has length 1
 * @param {() => number} random 0..1
 */
export function withNoise(vector, amount, random = Math.random) {
  const each = amount / Math.sqrt(DIMENSIONS);
  return Float32Array.from(toUnit(vector), (value) => value + each * gaussian(random));
}

// Box-Muller; 1 - random() is never 0.
function gaussian(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
