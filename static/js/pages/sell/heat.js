/**
 * The heat map of a photo's verdict: where on the photo, in words and as a veil of paint. No DOM.
 * A map is {rows, columns, heat: whole numbers 0..100 row by row}; the whole photo unless its box says otherwise.
 */

const HOT_SHARE = 0.6; // of the hottest place
const EVERYWHERE = 0.6; // of all places
const FLAT = 8; // percent between the coldest and the hottest: says nothing about where
const EDGE = 0.38;
const DENSEST = 0.75;
const NARROW = 2.5; // the power that leaves what is half as hot a sixth of the paint

/** "at the upper left", "in the middle", …; "" where the map says nothing about where. */
export function region({ rows, columns, heat }) {
  const hottest = Math.max(...heat);
  if (hottest - Math.min(...heat) < FLAT) return "";
  const hot = heat.map((value, place) => [value, place]).filter(([value]) => value >= hottest * HOT_SHARE);
  if (hot.length > heat.length * EVERYWHERE) return "";
  const weight = hot.reduce((sum, [value]) => sum + value, 0);
  const across = hot.reduce((sum, [value, place]) => sum + value * ((place % columns) + 0.5), 0) / weight / columns;
  const down = hot.reduce((sum, [value, place]) => sum + value * (Math.floor(place / columns) + 0.5), 0) / weight / rows;
  const side = across < EDGE ? "left" : across > 1 - EDGE ? "right" : "";
  const height = down < EDGE ? "top" : down > 1 - EDGE ? "bottom" : "";
  if (!side && !height) return "in the middle";
  if (!side) return `at the ${height}`;
  if (!height) return `on the ${side}`;
  return `at the ${height === "top" ? "upper" : "lower"} ${side}`;
}

/** How dense the veil is at each place, 0..1: the hottest stands out, cold ones stay clear. */
export function veil({ heat }) {
  const coldest = Math.min(...heat);
  const span = Math.max(...heat) - coldest;
  if (span < FLAT) return heat.map(() => DENSEST / 3);
  return heat.map((value) => DENSEST * ((value - coldest) / span) ** NARROW);
}

/** RGBA of the veil, a pixel for each place. @param {[number, number, number]} colour */
export function paint(map, [red, green, blue]) {
  const rgba = new Uint8ClampedArray(map.rows * map.columns * 4);
  veil(map).forEach((density, place) => rgba.set([red, green, blue, Math.round(density * 255)], place * 4));
  return rgba;
}

/** Of evidence entries, the map of the whole photo; null when there is none that can be drawn. */
export function wholeMap(evidence = []) {
  const isWhole = ({ box = [0, 0, 1, 1] }) => box.join() === "0,0,1,1";
  const map = evidence.find((entry) => Array.isArray(entry.heat) && isWhole(entry));
  return map && map.heat.length === map.rows * map.columns && map.heat.length > 0 ? map : null;
}
