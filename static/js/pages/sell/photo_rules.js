/** Which chosen files may become photos, and what to say about the others. The server decides again. */
import { kindOf } from "../../ml/photo_file.js";

const NAMES = { "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "image/avif": "AVIF", "image/heic": "HEIC" };
const PROMISES_PHOTO = /\.(jpe?g|png|webp|avif|heic|heif)$/i;
const HEAD_BYTES = 1024;
const CONVERTED = ["image/gif"]; // sent as JPEG, once this browser has opened it
const READ_BYTES = 100 * 1024 * 1024; // made smaller before it is sent
export const LONGEST_SIDE = 1600; // pixels, as the server keeps them

/** The files with their kind, told by their first bytes. */
export async function withKinds(files) {
  return Promise.all(
    files.map(async (file) => {
      try {
        return { file, kind: kindOf(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer())) };
      } catch {
        return { file, kind: null }; // a folder, or a file that has gone
      }
    }),
  );
}

/**
 * @param {Array<{file: {name: string, size: number}, kind: string|null}>} chosen
 * @param {number} already photos the listing has
 * @param {{photos: number, types: string[]}} limits
 * @returns {{accepted: Array<{file: object, kind: string}>, problems: string[]}}
 */
export function sortFiles(chosen, already, limits) {
  const accepted = [];
  const problems = [];
  let over = 0;
  for (const { file, kind } of chosen) {
    const name = shorten(file.name);
    if (kind === null) {
      problems.push(`“${name}” cannot be read. Choose the file itself, not its folder.`);
    } else if (file.size === 0) {
      problems.push(`“${name}” is empty.`);
    } else if (kind === "image/svg+xml") {
      problems.push(`“${name}” is a drawing (SVG). Choose a photo in ${listOf(limits.types)}.`);
    } else if (!limits.types.includes(kind) && !CONVERTED.includes(kind)) {
      problems.push(`“${name}” ${noPhoto(name, limits)}`);
    } else if (file.size > READ_BYTES) {
      problems.push(`“${name}” is too big: ${megabytes(file.size)} MB. Choose a file of at most ${megabytes(READ_BYTES)} MB.`);
    } else if (already + accepted.length >= limits.photos) {
      over += 1;
    } else {
      accepted.push({ file, kind });
    }
  }
  if (over > 0) {
    const left = over === 1 ? "one was left out" : `${over} were left out`;
    const taken = accepted.length > 0 ? `the first ${accepted.length === 1 ? "one was" : `${accepted.length} were`} taken, ${left}` : left;
    problems.push(`A listing has at most ${limits.photos} photos: ${taken}.`);
  }
  return { accepted, problems };
}

/**
 * What to do with a file that this browser could not make ready.
 * @param {{name: string, size: number, kind: string}} photo
 * @param {string} code from the worker; "" when the file is good, and the worker was what failed
 * @returns {{keep: boolean, text: string}} keep: sent as it is, since the server may be able to open it
 */
export function notPrepared({ name, size, kind }, code, limits) {
  const short = shorten(name);
  const refused = (text) => ({ keep: false, text: `“${short}” ${text}` });
  if (code === "cut-off") return refused("is damaged or was cut off on its way. Choose it again, or another one.");
  if (code === "too-many-pixels") return refused("has too many pixels to be opened here. Choose a smaller version of it.");
  if (code === "not-a-photo") return refused(noPhoto(name, limits));
  if (code === "cannot-open" && !isForeign(kind)) return refused("cannot be opened as a photo.");
  if (!limits.types.includes(kind)) return refused("cannot be opened in this browser.");
  if (size > limits.photo_bytes) {
    return refused(`is too big to be sent as it is: ${megabytes(size)} MB. A photo may have ${megabytes(limits.photo_bytes)} MB.`);
  }
  return { keep: true, text: isForeign(kind) ? `${code === "" ? "It could not be opened here just now." : `This browser cannot show ${NAMES[kind]}.`} It is checked after you submit.` : "" };
}

/** Only a name that promises a photo is told to be wrong. */
function noPhoto(name, { types }) {
  return PROMISES_PHOTO.test(name) ? `is not a ${listOf(types)} photo, whatever its name says.` : `cannot be used. Choose a photo in ${listOf(types)}.`;
}

/** Kinds that many browsers cannot open. */
export const isForeign = (kind) => kind === "image/heic" || kind === "image/avif";

export function shorten(name) {
  return name.length > 40 ? `${name.slice(0, 37)}…` : name;
}

function listOf(types) {
  const names = types.map((type) => NAMES[type]).filter(Boolean);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function megabytes(bytes) {
  return Math.ceil((bytes / 1024 / 1024) * 10) / 10;
}
