/**
 * Cut a text at the spans of a verdict, for marking.
 * @param {string} text
 * @param {Array<{start: number, end: number}>} spans UTF-16 offsets; any order, may overlap or exceed the text
 * @returns {Array<{text: string, hit: boolean}>} pieces that together are the text again
 */
export function segments(text, spans) {
  const sorted = spans
    .map(({ start, end }) => [Math.max(0, start), Math.min(text.length, end)])
    .filter(([start, end]) => start < end)
    .sort((a, b) => a[0] - b[0]);
  const pieces = [];
  let at = 0;
  const put = (end, hit) => {
    if (end <= at) return;
    const last = pieces[pieces.length - 1];
    if (last?.hit === hit) last.text += text.slice(at, end);
    else pieces.push({ text: text.slice(at, end), hit });
    at = end;
  };
  for (const [start, end] of sorted) {
    put(start, false);
    put(end, true);
  }
  put(text.length, false);
  return pieces;
}

const EDGES = /^[\p{P}\s]+|[\p{P}\s]+$/gu;

/** The marked words themselves, heaviest first, each once whatever its case, without the punctuation around them. */
export function words(fields, evidence, most = 6) {
  const texts = new Map(fields);
  const found = [...evidence]
    .sort((a, b) => b.weight - a.weight)
    .map(({ field, start, end }) => (texts.get(field) ?? "").slice(start, end).replace(EDGES, ""))
    .filter((word) => word !== "");
  const seen = new Set();
  const isNew = (word) => !seen.has(word.toLowerCase()) && seen.add(word.toLowerCase());
  return found.filter(isNew).slice(0, most);
}
