/**
 * Photos as pixels, in the worker: made smaller before they are sent, and read for the model. One at a time, and a
 * JPEG is decoded straight to an eighth, a quarter, ... of its size where the browser can (ImageDecoder), so that 48
 * megapixels never stand in memory: a third of the time of createImageBitmap, and the pixels differ by less than half
 * a step of 256 on average.
 */
import { digest } from "./contract.js";
import { carriesMore, isCutOff, kindOf, sizeOf } from "./photo_file.js";

const QUALITY = 0.85;
const KEPT_BYTES = 600 * 1024; // a photo of the right size may stay as it is up to here
const KEPT_KINDS = new Set(["image/jpeg", "image/png", "image/webp"]);
const MOST_PIXELS = 64e6; // decoded whole: a quarter of a gigabyte
const MOST_PIXELS_SCALED = 220e6; // of a JPEG that is decoded to a part of its size
const EIGHTHS = 8;

/** Why a file cannot become a photo: code is "not-a-photo", "cut-off", "too-many-pixels" or "cannot-open". */
export class PhotoError extends Error {
  constructor(code) {
    super(code);
    this.name = "PhotoError";
    this.code = code;
  }
}

/**
 * The file to send: longer side at most `longest`, upright, on white, nothing in it but the picture.
 * @returns {Promise<{blob: Blob, width: number, height: number, sha256: string}>} throws PhotoError
 */
export async function prepare(file, longest) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const kind = kindOf(bytes);
  if (kind === "" || kind === "image/svg+xml") throw new PhotoError("not-a-photo");
  if (isCutOff(bytes, kind)) throw new PhotoError("cut-off");
  const canvas = await draw(bytes, kind, longest);
  const { width, height } = canvas;
  const size = sizeOf(bytes, kind);
  const isSmall = size !== null && Math.max(size.width, size.height) <= longest && bytes.length <= KEPT_BYTES;
  const isKept = isSmall && KEPT_KINDS.has(kind) && !carriesMore(bytes, kind);
  const blob = isKept ? new Blob([bytes], { type: kind }) : await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  const sha256 = await digest({ data: isKept ? bytes : new Uint8Array(await blob.arrayBuffer()) });
  return { blob, width, height, sha256 };
}

/** RGBA of the picture in a file, its longer side at most `longest`. Throws PhotoError. */
export async function read(bytes, longest) {
  const canvas = await draw(bytes, kindOf(bytes), longest);
  return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
}

async function draw(bytes, kind, longest) {
  const size = sizeOf(bytes, kind);
  const isScaled = kind === "image/jpeg" && size !== null && typeof globalThis.ImageDecoder === "function";
  if (size && size.width * size.height > (isScaled ? MOST_PIXELS_SCALED : MOST_PIXELS)) throw new PhotoError("too-many-pixels");
  const picture = (isScaled && (await decodeScaled(bytes, kind, size, longest))) || (await decodeWhole(bytes, kind));
  try {
    const width = picture.displayWidth ?? picture.width;
    const height = picture.displayHeight ?? picture.height;
    const scale = Math.min(1, longest / Math.max(width, height));
    const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    const context = canvas.getContext("2d", { willReadFrequently: true }); // stays in memory, off the graphics card
    if (!context) throw new PhotoError("cannot-open");
    context.fillStyle = "#fff"; // what is transparent becomes white, as on the server
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas;
  } finally {
    picture.close();
  }
}

/** @returns {Promise<VideoFrame|null>} null when this decoder will not: the other way decides */
async function decodeScaled(data, type, size, longest) {
  const eighths = Math.min(EIGHTHS, Math.ceil((EIGHTHS * longest) / Math.max(size.width, size.height)));
  const desired = (length) => Math.ceil((length * eighths) / EIGHTHS);
  const scaled = eighths < EIGHTHS ? { desiredWidth: desired(size.width), desiredHeight: desired(size.height) } : {};
  let decoder = null;
  try {
    decoder = new ImageDecoder({ data, type, ...scaled });
    return (await decoder.decode()).image;
  } catch {
    return null;
  } finally {
    decoder?.close();
  }
}

async function decodeWhole(bytes, kind) {
  try {
    return await createImageBitmap(new Blob([bytes], { type: kind }), { imageOrientation: "from-image" });
  } catch {
    throw new PhotoError("cannot-open");
  }
}
