/**
 * A patch of the text model: it takes the place of the end of the model's file. The twin of `patched` in models/patch.py.
 */

/**
 * @param {Uint8Array} file the published model
 * @param {Uint8Array} patch
 * @param {{replaces: number, patched_sha256: string}} about from the manifest
 * @returns {Promise<Uint8Array>} the patched file; throws unless it is the one that the server knows
 */
export async function withPatch(file, patch, { replaces, patched_sha256 }) {
  const kept = file.length - replaces;
  const patched = new Uint8Array(kept + patch.length);
  patched.set(file.subarray(0, kept));
  patched.set(patch, kept);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", patched));
  const found = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== patched_sha256) throw new Error("The update of the model does not fit its file.");
  return patched;
}
