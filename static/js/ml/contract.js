/**
 * What every caller of the text model agrees on: how text becomes bytes, and how scores become a verdict.
 * The twin of models/contract.py; tests/golden/listing_text.json holds both to the same answers.
 * Neither side may use language features that differ between the two: no \w, no trim, no toLowerCase.
 */

const SEVERITY = { pass: 0, unsure: 1, warn: 2, block: 3 };
const CUT_BACK = 64; // bytes looked back for a space, so that a cut seldom splits a word
const MAX_SPANS = 40;
// A word that carries less than this share of the heaviest one explains nothing to a person.
const SPAN_SHARE = 0.15;
const MARK = /^\p{M}/u;
const encoder = new TextEncoder();

const isSpace = (byte) => byte === 32 || (byte >= 9 && byte <= 13);

/**
 * Named texts, title first, as bytes: line ends to LF, NFKC a segment at a time (a code point with the combining
 * marks after it), joined by LF. A lone surrogate becomes U+FFFD.
 * @param {Array<[string, string]>} fields
 * @returns {{data: Uint8Array, names: string[], fieldOf: Int16Array, start: Int32Array, end: Int32Array}}
 *   fieldOf, start, end: for every byte the index of its field and the UTF-16 offsets of its segment as typed.
 */
export function pack(fields) {
  const data = [];
  const fieldOf = [];
  const starts = [];
  const ends = [];
  const put = (bytes, field, start, end) => {
    for (const byte of bytes) {
      data.push(byte);
      fieldOf.push(field);
      starts.push(start);
      ends.push(end);
    }
  };
  const last = Math.max(fields.length, 2) - 1;
  for (let index = 0; index <= last; index += 1) {
    const text = index < fields.length ? fields[index][1] : "";
    packField(text, (bytes, start, end) => put(bytes, index, start, end));
    if (index < last) put([10], index, text.length, text.length);
  }
  return {
    data: Uint8Array.from(data),
    names: fields.map(([name]) => name),
    fieldOf: Int16Array.from(fieldOf),
    start: Int32Array.from(starts),
    end: Int32Array.from(ends),
  };
}

function packField(text, put) {
  let at = 0;
  while (at < text.length) {
    const code = text.codePointAt(at);
    let stop = at + (code > 0xffff ? 2 : 1);
    if (code === 13) {
      if (text[stop] === "\n") stop += 1;
      put([10], at, stop);
    } else {
      while (stop < text.length) {
        const next = text.codePointAt(stop);
        if (next < 0x300 || !MARK.test(String.fromCodePoint(next))) break;
        stop += next > 0xffff ? 2 : 1;
      }
      if (code < 128 && stop === at + 1) put([code], at, stop);
      else put(encoder.encode(text.slice(at, stop).normalize("NFKC")), at, stop);
    }
    at = stop;
  }
}

/** Hex SHA-256 of the packed bytes. */
export async function digest(packed) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", packed.data));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Byte ranges [begin, end] of at most windowBytes, about equal in size, cut at a space or between characters. */
export function windows(packed, windowBytes) {
  const { data } = packed;
  const size = data.length;
  const count = Math.ceil(size / windowBytes);
  const ranges = [];
  let begin = 0;
  while (size - begin > windowBytes) {
    const left = Math.max(count - ranges.length, 2);
    const stop = begin + Math.min(windowBytes, Math.ceil((size - begin) / left) + CUT_BACK);
    let cut = stop;
    while (cut > stop - CUT_BACK && !isSpace(data[cut - 1])) cut -= 1;
    if (cut === stop - CUT_BACK) {
      cut = stop;
      while ((data[cut] & 0xc0) === 0x80) cut -= 1;
    }
    ranges.push([begin, cut]);
    begin = cut;
  }
  ranges.push([begin, size]);
  return ranges;
}

/** 1 - p(safe). */
export const unsafeScore = (scores) => 1 - scores.safe;

/**
 * Decision and policy from the manifest's operating points.
 * @param {Object<string, number>} scores by policy, "safe" included
 * @param {number} coverage share of the letters that the model makes sense of
 * @returns {[("pass"|"unsure"|"warn"|"block"), string]} policy is "" for a pass and
 *   where the model knows too few of the words to suspect anything in particular
 */
export function decide(scores, coverage, points) {
  let policy = points.policies[0];
  for (const name of points.policies) if (scores[name] > scores[policy]) policy = name;
  const own = points.per_policy?.[policy] ?? {};
  const unsafe = unsafeScore(scores);
  if (unsafe >= (own.block ?? points.block)) return ["block", policy];
  if (unsafe >= (own.warn ?? points.warn)) return ["warn", policy];
  if (coverage < points.coverage) return ["unsure", ""];
  if (unsafe >= (own.unsure ?? points.unsure)) return ["unsure", policy];
  return ["pass", ""];
}

/** The worst window counts: results are [scores, coverage], one for each window, in order. */
export function combine(results, points) {
  let worst = null;
  for (const [scores, coverage] of results) {
    const [decision, policy] = decide(scores, coverage, points);
    const found = { scores, coverage, decision, policy };
    if (worst === null || isGraver(found, worst)) worst = found;
  }
  return worst;
}

function isGraver(found, worst) {
  const step = SEVERITY[found.decision] - SEVERITY[worst.decision];
  return step > 0 || (step === 0 && unsafeScore(found.scores) > unsafeScore(worst.scores));
}

/**
 * The words that speak for a policy and against safe, in the order of the text.
 * @param {Float32Array} evidence flat [packed.data.length, labels.length], the windows' evidence one after the other
 * @returns {Array<{field: string, start: number, end: number, weight: number}>} UTF-16 offsets in the field as typed
 */
export function spans(packed, evidence, labels, policy, floor) {
  if (policy === "" || evidence.length === 0) return [];
  const width = labels.length;
  const wanted = labels.indexOf(policy);
  const safe = labels.indexOf("safe");
  const found = [];
  for (const [begin, stop] of words(packed)) {
    let weight = 0;
    for (let at = begin; at < stop; at += 1) weight += evidence[at * width + wanted] - evidence[at * width + safe];
    if (weight >= floor) {
      const field = packed.names[packed.fieldOf[begin]] ?? "";
      weight = Math.round(weight * 10000) / 10000;
      found.push({ field, start: packed.start[begin], end: packed.end[stop - 1], weight });
    }
  }
  found.sort((a, b) => b.weight - a.weight);
  const kept = found.slice(0, MAX_SPANS).filter((span) => span.weight >= SPAN_SHARE * found[0].weight);
  const order = (span) => packed.names.indexOf(span.field);
  return kept.sort((a, b) => order(a) - order(b) || a.start - b.start);
}

/** Byte ranges of words; lone characters in a row, one space apart and in one field, are joined. */
function words(packed) {
  const { data, start, fieldOf } = packed;
  const found = [];
  let alone = false;
  let begin = 0;
  while (begin < data.length) {
    if (isSpace(data[begin])) {
      begin += 1;
      continue;
    }
    let stop = begin;
    while (stop < data.length && !isSpace(data[stop])) stop += 1;
    const single = start[begin] === start[stop - 1];
    const previous = found[found.length - 1];
    if (single && alone && previous[1] === begin - 1 && fieldOf[begin] === fieldOf[begin - 2]) previous[1] = stop;
    else found.push([begin, stop]);
    alone = single;
    begin = stop;
  }
  return found;
}
