/**
 * What another threshold comes to: the twin of `at` in listings/moderation/thresholds.py; no DOM.
 * Rows: [score in parts of GRAIN, violations, none, unknown], the lowest score first.
 */
export const GRAIN = 10_000;

/** {held, held_a_day, passed, precision, recall, saved}; shares are null while there is nothing to divide by. */
export function at(rows, threshold, days) {
  const lowest = Math.round(threshold * GRAIN);
  let [held, known, caught, violations, total] = [0, 0, 0, 0, 0];
  for (const [score, bad, good, unknown] of rows) {
    total += bad + good + unknown;
    violations += bad;
    if (score < lowest) continue;
    held += bad + good + unknown;
    known += bad + good;
    caught += bad;
  }
  return {
    held,
    held_a_day: held / days,
    passed: total - held,
    precision: known ? caught / known : null,
    recall: violations ? caught / violations : null,
    saved: total ? (total - held) / total : null,
  };
}

/** How many there are in all, whatever the threshold. */
export function sums(rows) {
  const found = { revisions: 0, violations: 0, unknown: 0 };
  for (const [, bad, good, unknown] of rows) {
    found.revisions += bad + good + unknown;
    found.violations += bad;
    found.unknown += unknown;
  }
  return found;
}

/** Precision and recall at so many thresholds from 0.01 to 1: columns for a plot. */
export function curve(rows, days, points = 100) {
  const thresholds = Array.from({ length: points }, (_, step) => (step + 1) / points);
  const outcomes = thresholds.map((threshold) => at(rows, threshold, days));
  return [thresholds, outcomes.map(({ precision }) => precision), outcomes.map(({ recall }) => recall)];
}
