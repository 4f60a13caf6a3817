/** The savings page: draws what its tables say. Without this the tables stand alone. */
import { bars, plot, seconds, token } from "../plots.js";

const { heavy, misses } = JSON.parse(document.getElementById("plots-data").textContent);
const percent = (share) => (share === null || share === undefined ? "–" : `${Number((100 * share).toPrecision(3))} %`);

const places = new Map([...document.querySelectorAll("[data-plot]")].map((place) => [place.dataset.plot, place]));
if (heavy.series.some(({ values }) => values.some(Boolean))) drawHeavy(places.get("heavy"));
if (misses.days.length && places.has("misses")) drawMisses(places.get("misses"));

/** A bar a day: what became of the revisions of that day, one upon the other. */
function drawHeavy(place) {
  const seen = heavy.series.filter(({ values }) => values.some(Boolean));
  const tops = [];
  for (const { values } of seen) tops.push(values.map((value, day) => value + (tops.at(-1)?.[day] ?? 0)));
  // The highest is drawn first, and the lower ones over it.
  const parts = seen.map((each, at) => ({ ...each, top: tops[at] })).reverse();
  const series = parts.map(({ label, colour, values }) => ({
    label,
    fill: token(colour),
    width: 0,
    stroke: token(colour),
    paths: bars({ size: [0.75, 40] }),
    points: { show: false },
    value: (_, __, ___, day) => (day === null ? "–" : values[day].toLocaleString("en-GB")),
  }));
  const y = { label: "Revisions a day", values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? tick.toLocaleString("en-GB") : "")) };
  const scales = {
    x: { range: (_, from, to) => [from - 43_200, to + 43_200] },
    y: { range: (_, __, to) => [0, Math.max(to, 1) * 1.05] },
  };
  const data = [seconds(heavy.days), ...parts.map(({ top }) => top)];
  plot(place, "Revisions a day by what became of their heavy checks", { series: [{}, ...series], scales, y }, data);
}

/** The share of audits rejected, and how its interval narrows as audits come in. */
function drawMisses(place) {
  const days = seconds(misses.days);
  const line = { width: 2, value: (_, share) => percent(share) };
  const series = [
    {},
    { ...line, width: 1, label: "Lower end", stroke: token("--info"), points: { show: false } },
    { ...line, width: 1, label: "Upper end", stroke: token("--info"), points: { show: false } },
    { ...line, label: "Target, at most", stroke: token("--accent"), dash: [6, 4], points: { show: false }, paths: () => null }, // drawn by over()
    // Over the band, which would hide it.
    { ...line, label: "Rejected", stroke: token("--brand"), points: { show: true, size: 5 } },
  ];
  const bands = [{ series: [2, 1], fill: token("--info-tint") }];
  const most = Math.max(misses.target, ...misses.high);
  const scales = {
    x: { range: () => [days[0] - 43_200, days.at(-1) + 43_200] }, // of a single day the library would make two
    y: { range: () => [0, Math.min(1, most * 1.05)] },
  };
  const data = [days, misses.low, misses.high, misses.days.map(() => misses.target), misses.rate];
  const y = { label: "Share of audits", values: (_, ticks) => ticks.map(percent) };
  const hooks = { draw: [over] };
  plot(place, "Share of audits that were rejected, with its 95 % interval", { series, bands, scales, y, hooks }, data);
}

/** The target, and the interval of each day by itself: of a single day a line or a band would have no width. */
function over(chart) {
  const { ctx, bbox } = chart;
  const half = 5 * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = token("--info");
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.beginPath();
  for (const [at, day] of chart.data[0].entries()) {
    const x = chart.valToPos(day, "x", true);
    const [low, high] = [misses.low[at], misses.high[at]].map((share) => chart.valToPos(share, "y", true));
    ctx.moveTo(x, low);
    ctx.lineTo(x, high);
    for (const end of [low, high]) {
      ctx.moveTo(x - half, end);
      ctx.lineTo(x + half, end);
    }
  }
  ctx.stroke();
  const target = chart.valToPos(misses.target, "y", true);
  ctx.strokeStyle = token("--accent");
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, target);
  ctx.lineTo(bbox.left + bbox.width, target);
  ctx.stroke();
  ctx.restore();
}
