/**
 * One check of a photo: the very file that will be sent, decoded, as RGB bytes through the model; the result a
 * Verdict (design section 5). The twin of check_photo() in models/photo.py. Decoding and the model run are passed
 * in, so that this file needs neither browser nor runtime.
 */
import { named } from "./check.js";
import { decide, digest } from "./contract.js";

/**
 * @param {Uint8Array} bytes the file
 * @param {object} model entry of the manifest
 * @param {(bytes: Uint8Array, longest: number) => Promise<{data: Uint8ClampedArray, width: number, height: number}>} read
 *   RGBA, opaque, the longer side at most `longest`
 * @param {(rgb: Uint8Array, height: number, width: number) => Promise<{scores: Float32Array, heat: Float32Array,
 *   activation: Uint8Array}>} run scores: [labels]; heat: flat [rows, columns, labels]
 * @param {{name: string, provider: string, now?: () => number}} context
 * @returns {Promise<{verdict: object, activation: Uint8Array, timing: {decode: number, run: number}}>}
 */
export async function checkPhoto(bytes, model, read, run, context) {
  const now = context.now ?? (() => performance.now());
  const hashing = digest({ data: bytes });
  const began = now();
  const pixels = await read(bytes, model.longest_side);
  const rgb = withoutAlpha(pixels.data);
  const decoded = now();
  const { scores, heat, activation } = await run(rgb, pixels.height, pixels.width);
  const done = now();
  const byLabel = named(scores, model.labels);
  const [decision, policy] = decide(byLabel, 1, model.operating_points);
  const photo = await hashing;
  const verdict = {
    model: context.name,
    version: model.version,
    policies_version: model.policies_version,
    variant: model.variant,
    where: "device",
    scores: byLabel,
    decision,
    policy,
    evidence: policy === "" ? [] : [evidence(photo, heat, model, policy)],
    ms: hundredths(done - began),
    provider: context.provider,
    digest: photo,
  };
  return { verdict, activation, timing: { decode: hundredths(decoded - began), run: hundredths(done - decoded) } };
}

/** How strongly each place speaks for the policy and against safe, in percent of the place that does most. */
function evidence(photo, heat, { labels, outputs }, policy) {
  const [rows, columns] = outputs.heat.shape;
  const wanted = labels.indexOf(policy);
  const safe = labels.indexOf("safe");
  const apart = Array.from({ length: rows * columns }, (_, place) => {
    return Math.max(0, heat[place * labels.length + wanted] - heat[place * labels.length + safe]);
  });
  const most = Math.max(...apart, 1e-6);
  return { photo, rows, columns, heat: apart.map((value) => Math.round((100 * value) / most)), box: [0, 0, 1, 1] };
}

/** RGBA to RGB. */
export function withoutAlpha(rgba) {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}

const hundredths = (milliseconds) => Math.round(milliseconds * 100) / 100;
