/**
 * What a photo file is, by its bytes and never by its name: kind, size in pixels, whether it is whole, and whether
 * it carries anything beside the picture. No decoding here; the server judges again.
 */

const HEIC = new Set(["heic", "heix", "hevc", "heim", "heis", "hevm", "hevs", "mif1", "msf1"]);
// What a picture needs to be drawn. Whatever else a file holds is told to nobody.
const PNG_CHUNKS = new Set(["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "cICP", "sBIT", "bKGD", "pHYs"]);
const WEBP_CHUNKS = new Set(["VP8 ", "VP8L", "VP8X", "ALPH", "ICCP"]);
const JFIF = 0xe0;
const ICC = 0xe2;
const ADOBE = 0xee;
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

const latin = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));
const starts = (bytes, ...first) => first.every((byte, index) => bytes[index] === byte);

/** MIME type by the first bytes (a few hundred are enough); "" for what is no picture. */
export function kindOf(head) {
  if (starts(head, 0xff, 0xd8, 0xff)) return "image/jpeg";
  if (starts(head, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
  if (latin(head, 0, 4) === "RIFF" && latin(head, 8, 12) === "WEBP") return "image/webp";
  if (latin(head, 0, 4) === "GIF8") return "image/gif";
  if (latin(head, 4, 8) === "ftyp") {
    const brand = latin(head, 8, 12);
    // A phone may put a general brand first and its own among the compatible ones.
    const brands = latin(head, 8, Math.min(head.length, 64));
    if (brand === "avif" || brand === "avis" || (brand === "mif1" && brands.includes("avif"))) return "image/avif";
    if (HEIC.has(brand)) return "image/heic";
  }
  return /<svg[\s>]/i.test(latin(head, 0, 1024)) ? "image/svg+xml" : "";
}

/**
 * Size in pixels as stored (before the orientation is applied), null where the header does not say it.
 * @returns {{width: number, height: number}|null}
 */
export function sizeOf(bytes, kind) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (kind === "image/png") return { width: view.getUint32(16), height: view.getUint32(20) };
    if (kind === "image/gif") return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    if (kind === "image/webp") return webpSize(bytes, view);
    if (kind === "image/jpeg") return jpegSize(bytes, view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the header is cut off
  }
  return null;
}

function jpegSize(bytes, view) {
  for (const { marker, at } of jpegSegments(bytes)) {
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: view.getUint16(at + 5), height: view.getUint16(at + 3) };
  }
  return null;
}

function webpSize(bytes, view) {
  const chunk = latin(bytes, 12, 16);
  const uint24 = (at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  if (chunk === "VP8X") return { width: uint24(24) + 1, height: uint24(27) + 1 };
  if (chunk === "VP8 ") return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  const bits = view.getUint32(21, true);
  return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
}

/** Header segments up to the picture's data: marker, and where the segment's length stands. */
function* jpegSegments(bytes) {
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at += 1; // filler
      continue;
    }
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    yield { marker, at: at + 2, length };
    if (marker === START_OF_SCAN) return;
    at += 2 + length;
  }
}

/** Chunks of a PNG or WebP: {name, from, length} of the data. */
function* chunks(bytes, kind) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isPng = kind === "image/png";
  let at = isPng ? 8 : 12;
  while (at + 8 <= bytes.length) {
    const length = isPng ? view.getUint32(at) : view.getUint32(at + 4, true);
    yield { name: isPng ? latin(bytes, at + 4, at + 8) : latin(bytes, at, at + 4), from: at + 8, length };
    at += isPng ? 12 + length : 8 + length + (length % 2);
  }
}

/** True when the file ends before its picture does; decoders fill the rest with grey and say nothing. */
export function isCutOff(bytes, kind) {
  if (kind === "image/jpeg") return endOfPicture(bytes) < 0;
  if (kind === "image/png") return ![...chunks(bytes, kind)].some(({ name, from, length }) => name === "IEND" && from + length <= bytes.length);
  if (kind !== "image/webp") return false;
  return bytes.length < 16 || 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) > bytes.length + 1;
}

/** Where a JPEG's last end marker stands; -1 without one. That of a preview, among the headers, does not count. */
function endOfPicture(bytes) {
  const scan = [...jpegSegments(bytes)].find(({ marker }) => marker === START_OF_SCAN);
  if (!scan) return -1;
  for (let at = bytes.length - 2; at > scan.at; at -= 1) if (bytes[at] === 0xff && bytes[at + 1] === END_OF_IMAGE) return at;
  return -1;
}

/** True unless the file holds the picture, its colours and nothing else (no EXIF, XMP, text, second frame, tail). */
export function carriesMore(bytes, kind) {
  if (kind === "image/png") return hasOther(bytes, kind, PNG_CHUNKS);
  if (kind === "image/webp") return hasOther(bytes, kind, WEBP_CHUNKS);
  if (kind !== "image/jpeg") return true;
  for (const { marker, at, length } of jpegSegments(bytes)) {
    const isApp = (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
    if (!isApp || marker === ADOBE) continue;
    if (marker === JFIF && latin(bytes, at + 2, at + 6) === "JFIF" && length <= 16) continue;
    if (marker === ICC && latin(bytes, at + 2, at + 13) === "ICC_PROFILE") continue;
    return true;
  }
  return endOfPicture(bytes) !== bytes.length - 2;
}

function hasOther(bytes, kind, allowed) {
  let end = 0;
  for (const { name, from, length } of chunks(bytes, kind)) {
    if (!allowed.has(name)) return true;
    end = kind === "image/png" ? from + length + 4 : from + length + (length % 2);
  }
  return bytes.length > end;
}
