/** The one place that knows where the library for plots lies (marketplace/assets.py lays it out). */
import uPlot from "../plots/uPlot.esm.js";

export const { bars } = uPlot.paths;
const HEIGHT = 280;

/** The value of a token of static/css/tokens.css, for canvases. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const format = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
/** A moment, in seconds since 1970, as a date. */
export const date = (second) => format.format(new Date(second * 1000));

/** Seconds since 1970 of ISO dates, which the x axis counts in. */
export const seconds = (days) => days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);

/** Room for a date below the axis, in CSS pixels. */
const LABEL = 56;

/**
 * Draw into `place` and keep to its width. `options`: uPlot's, without size and axes; `y` as uPlot's axis; `x`: {label,
 * incrs, write (a value in words; a new line where it may be broken)}. Without incrs each value has its label, or as
 * many as there is room for, the last always. `resting`: which value the legend shows while no pointer is over the
 * plot, the last if it is not given. `data`: its columns. Returns uPlot's chart.
 */
export function plot(place, label, { x: across, y: up, resting, ...options }, data) {
  place.hidden = false;
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", label);
  const axis = { stroke: token("--ink-soft"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line") } };
  const { write, incrs, label: name } = { write: date, label: "Day", ...across };
  const labels = incrs ? { incrs } : { splits: (chart) => thinned(chart.data[0], chart.bbox.width / devicePixelRatio), incrs: [Number.MAX_SAFE_INTEGER] };
  const [x, ...series] = options.series;
  // An empty legend reads as if there were no data.
  const rest = (chart) => {
    if (!(chart.cursor.left >= 0)) chart.setLegend({ idx: resting ? resting(chart) : chart.data[0].length - 1 }, false);
  };
  const hooks = { ...options.hooks, draw: [...(options.hooks?.draw ?? []), rest], setLegend: [rest] };
  const drawn = new uPlot(
    {
      ...options,
      hooks,
      width: place.clientWidth,
      height: HEIGHT,
      cursor: { drag: { x: false, y: false } },
      series: [{ ...x, label: name, value: (_, value) => (value === null ? "" : write(value).replace("\n", " to ")) }, ...series],
      axes: [
        { ...axis, values: (_, ticks) => ticks.map(write), ...labels },
        { ...axis, size: 64, ...up },
      ],
    },
    data,
    place,
  );
  new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  return drawn;
}

/** Of values at equal distances, so many that each has room for its label, the last among them. */
function thinned(values, width) {
  const step = Math.max(1, Math.ceil((values.length * LABEL) / width));
  return values.filter((_, at) => (values.length - 1 - at) % step === 0);
}
