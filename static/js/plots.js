/** The one place that knows where the library for plots lies (marketplace/assets.py lays it out). */
import uPlot from "../plots/uPlot.esm.js";

export const { bars } = uPlot.paths;
const HEIGHT = 280;

/** The value of a token of static/css/tokens.css, for canvases. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Seconds since 1970 of ISO dates, which the x axis counts in. */
export const seconds = (days) => days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);

/**
 * Draw into `place` and keep to its width. `options`: uPlot's, without size and axes; `y` as uPlot's axis; `x`: {label,
 * incrs, write (a value in words)}, days if it is not given. `data`: its columns. Returns uPlot's chart.
 */
export function plot(place, label, { x: across, y: up, ...options }, data) {
  place.hidden = false;
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", label);
  const axis = { stroke: token("--ink-soft"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line") } };
  const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const days = [1, 2, 7, 14, 28].map((number) => number * 86_400);
  const { write, incrs, label: name } = { write: (second) => date.format(new Date(second * 1000)), incrs: days, label: "Day", ...across };
  const [x, ...series] = options.series;
  const drawn = new uPlot(
    {
      ...options,
      width: place.clientWidth,
      height: HEIGHT,
      cursor: { drag: { x: false, y: false } },
      series: [{ ...x, label: name, value: (_, value) => (value === null ? "" : write(value)) }, ...series],
      axes: [
        { ...axis, values: (_, ticks) => ticks.map(write), incrs },
        { ...axis, size: 64, ...up },
      ],
    },
    data,
    place,
  );
  new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  return drawn;
}
