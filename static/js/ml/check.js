/**
 * One check of a listing's text: every window through the model, the worst one counts, the result a Verdict
 * (design section 5). The model run is passed in, so that this file needs no runtime.
 */
import { combine, digest, pack, spans, windows } from "./contract.js";

/** Thrown when a newer draft has made this check pointless. */
export class StaleError extends Error {}

/**
 * @param {Array<[string, string]>} fields name and text, title first
 * @param {object} model entry of the manifest
 * @param {(bytes: Uint8Array) => Promise<{scores: Float32Array, coverage: number, evidence: Float32Array}>} run
 *   scores: [labels]; coverage: 0..1; evidence: flat [bytes, labels]
 * @param {{name: string, provider: string, release?: number|null, isStale?: () => boolean, now?: () => number}} context
 * @returns {Promise<object>} the Verdict
 */
export async function checkText(fields, model, run, context) {
  const now = context.now ?? (() => performance.now());
  const began = now();
  const packed = pack(fields);
  const results = [];
  const evidence = new Float32Array(packed.data.length * model.labels.length);
  for (const [begin, end] of windows(packed, model.window_bytes)) {
    if (context.isStale?.()) throw new StaleError();
    const answer = await run(packed.data.slice(begin, end));
    results.push([named(answer.scores, model.labels), answer.coverage]);
    evidence.set(answer.evidence, begin * model.labels.length);
  }
  const points = model.operating_points;
  const { scores, coverage, decision, policy } = combine(results, points);
  const found = spans(packed, evidence, model.labels, policy, points.evidence_floor ?? 0);
  return {
    model: context.name,
    version: versionOf(model.version, context.release),
    policies_version: model.policies_version,
    variant: model.variant,
    where: "device",
    scores,
    coverage,
    decision,
    policy,
    evidence: found,
    ms: Math.round((now() - began) * 100) / 100,
    provider: context.provider,
    digest: await digest(packed),
  };
}

/** As verdicts name it: "5", or "5+p12" with a release. */
export function versionOf(version, release) {
  return typeof release === "number" ? `${version}+p${release}` : version;
}

/** {label: score}, rounded as every verdict has them. */
export function named(scores, labels) {
  return Object.fromEntries(labels.map((label, index) => [label, Math.round(scores[index] * 1e6) / 1e6]));
}
