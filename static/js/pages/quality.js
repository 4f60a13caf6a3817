/** The page of quality: draws what its tables say, and reckons another threshold at once. Without this the form does. */
import { bars, date, plot, seconds, token } from "../plots.js";
import { at, curve, sums } from "../thresholds.js";

const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
// As the server writes a share: a half goes to the even digit.
const digits = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3, roundingMode: "halfEven", useGrouping: false });
const percent = (share) => (share === null || share === undefined ? "–" : `${digits.format(100 * share)} %`);
const whole = (number) => number.toLocaleString("en-GB");
const { drift, pace } = read("plots-data");
const HALF_A_WEEK = 302_400; // seconds

for (const place of document.querySelectorAll("[data-plot=drift]")) drawDrift(place, drift[Number(place.dataset.at)]);
const days = document.querySelector("[data-plot=pace]");
if (days) drawPace(days);
const simulator = read("simulator-data");
if (simulator) simulate(document.querySelector("[data-simulator]"), simulator);

/** A bar a week: which share of the scores lies where, one upon the other. */
function drawDrift(place, { label, weeks, series }) {
  if (weeks.length < 2) return;
  place.closest("figure").hidden = false;
  const tops = [];
  for (const { values } of series) tops.push(values.map((share, week) => (share === null ? null : share + (tops.at(-1)?.[week] ?? 0))));
  // The highest is drawn first, and the lower ones over it.
  const parts = series.map((each, index) => ({ ...each, top: tops[index] })).reverse();
  const drawn = parts.map(({ label: name, colour, values }) => ({
    label: name,
    fill: token(colour),
    width: 0,
    stroke: token(colour),
    paths: bars({ size: [0.75, 60] }),
    points: { show: false },
    value: (_, __, ___, week) => (week === null ? "–" : percent(values[week])),
  }));
  const scales = { x: { range: (_, from, to) => [from - HALF_A_WEEK, to + HALF_A_WEEK] }, y: { range: () => [0, 1] } };
  const y = { label: "Share of scores", values: (_, ticks) => ticks.map(percent) };
  // A bar stands in the middle of its week; below it are the first and the last day.
  const x = { label: "Week", write: (middle) => `${date(middle - HALF_A_WEEK)}\n${date(middle + HALF_A_WEEK)}` };
  const middles = seconds(weeks).map((first) => first + HALF_A_WEEK);
  plot(place, `Scores of ${label} by week`, { series: [{}, ...drawn], scales, x, y }, [middles, ...parts.map(({ top }) => top)]);
}

/** A bar a day: decisions. */
function drawPace(place) {
  const bar = {
    label: "Decided",
    fill: token("--brand"),
    stroke: token("--brand"),
    width: 0,
    paths: bars({ size: [0.75, 40] }),
    points: { show: false },
    value: (_, number) => (number === null ? "–" : whole(number)),
  };
  const y = { label: "Decided a day", values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? whole(tick) : "")) };
  const scales = {
    x: { range: (_, from, to) => [from - 43_200, to + 43_200] },
    y: { range: (_, __, to) => [0, Math.max(to, 1) * 1.05] },
  };
  plot(place, "Decisions a day", { series: [{}, bar], scales, y }, [seconds(pace.days), pace.decided]);
}

/** The slider and the policy count at once; another model is another page. */
function simulate(form, { rows, days: covered, published }) {
  const { policy, threshold: field, model } = form.elements;
  const slide = document.getElementById("simulator-slide");
  const outcomes = document.querySelector("[data-outcomes]");
  const place = document.querySelector("[data-plot=thresholds]");
  const written = {
    threshold: (value) => String(value),
    precision: percent,
    recall: percent,
    saved: percent,
    held_a_day: (number) => number.toLocaleString("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    held: whole,
    passed: whole,
  };
  let chosen = Number(field.value);
  let drawn = null;

  const mark = () => published[policy.value].unsure;
  const every = Object.values(rows).flat();
  const these = () => (policy.value ? (rows[policy.value] ?? []) : every);
  const show = () => {
    const both = [chosen, mark()].map((threshold) => ({ threshold, ...at(these(), threshold, covered) }));
    for (const [name, write] of Object.entries(written)) {
      for (const [column, cell] of outcomes.querySelectorAll(`[data-out=${name}]`).entries()) cell.textContent = write(both[column][name]);
    }
    for (const [name, number] of Object.entries(sums(these()))) document.querySelector(`[data-sum=${name}]`).textContent = whole(number);
    document.querySelector("[data-published]").textContent = mark();
    document.querySelector("#simulator-marks option").value = mark().toFixed(3); // a step of the slide
    drawn?.redraw(false);
  };
  const set = (value) => {
    chosen = value;
    show();
  };

  document.querySelector("[data-slide]").hidden = false;
  slide.addEventListener("input", () => {
    field.value = slide.value;
    set(Number(slide.value));
  });
  field.addEventListener("input", () => {
    const value = Number(field.value);
    if (!(value >= 0.01 && value <= 1)) return;
    slide.value = value;
    set(value);
  });
  policy.addEventListener("change", () => {
    drawn?.setData(curve(these(), covered));
    show();
  });
  model.addEventListener("change", () => form.requestSubmit());

  const line = { width: 2, points: { show: false }, value: (_, share) => percent(share) };
  const series = [
    {},
    { ...line, label: "Precision", stroke: token("--brand") },
    { ...line, label: "Recall", stroke: token("--info") },
  ];
  const scales = { x: { time: false, range: () => [0, 1] }, y: { range: () => [0, 1.02] } };
  const x = { label: "Doubt from", write: (value) => Number(value.toFixed(2)).toString(), incrs: [0.05, 0.1, 0.2, 0.25, 0.5] };
  const y = { label: "Share", values: (_, ticks) => ticks.map(percent) };
  const hooks = {
    draw: [
      (chart) => {
        standing(chart, mark(), token("--ink-soft"), [6, 4]);
        standing(chart, chosen, token("--accent"), []);
      },
    ],
  };
  const resting = ({ data: [thresholds] }) => thresholds.findLastIndex((threshold) => threshold <= chosen);
  drawn = plot(place, "Precision and recall by threshold; a dashed line where it is published", { series, scales, x, y, hooks, resting }, curve(these(), covered));
}

/** An upright line at a threshold. */
function standing(chart, threshold, colour, dash) {
  const { ctx, bbox } = chart;
  const x = chart.valToPos(threshold, "x", true);
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}
