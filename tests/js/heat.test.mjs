// Where on a photo a verdict points, in words and as paint.
import assert from "node:assert/strict";
import { test } from "node:test";
import { paint, region, veil, wholeMap } from "../../static/js/pages/sell/heat.js";
import { found, kilobytes, state, summary } from "../../static/js/pages/sell/photo_words.js";

/** A map of 0 with the given places hot: [row, column]. */
function map(rows, columns, ...hot) {
  const heat = new Array(rows * columns).fill(2);
  for (const [row, column] of hot) heat[row * columns + column] = 90;
  return { rows, columns, heat, box: [0, 0, 1, 1] };
}

const POLICIES = new Map([["weapons", { name: "Weapons" }]]);
const warned = (evidence) => ({ ready: true, verdict: { decision: "warn", policy: "weapons", evidence } });

test("every region has its words", () => {
  const expected = {
    "0,0": "at the upper left", "0,2": "at the top", "0,4": "at the upper right",
    "2,0": "on the left", "2,2": "in the middle", "2,4": "on the right",
    "4,0": "at the lower left", "4,2": "at the bottom", "4,4": "at the lower right",
  }; // prettier-ignore
  for (const [place, words] of Object.entries(expected)) assert.equal(region(map(5, 5, place.split(",").map(Number))), words);
});

test("rows and columns are not mixed up on a map that is not square", () => {
  assert.equal(region(map(2, 6, [1, 0])), "at the lower left");
  assert.equal(region(map(6, 2, [0, 1])), "at the upper right");
});

test("a map that is hot nearly everywhere, or nowhere more than elsewhere, says nothing about where", () => {
  assert.equal(region({ rows: 2, columns: 2, heat: [90, 88, 91, 20] }), "");
  assert.equal(region({ rows: 2, columns: 2, heat: [52, 50, 51, 50] }), "");
});

test("the veil is densest at the hottest place and clear at the coldest", () => {
  const density = veil({ heat: [10, 90, 50, 10] });
  assert.equal(density[0], 0);
  assert.equal(Math.max(...density), density[1]);
  assert.ok(density[1] < 1, "the photo stays visible under it");
  assert.equal(new Set(veil({ heat: [50, 51, 50, 52] })).size, 1);
});

test("the paint has a pixel for each place, in the colour given", () => {
  const rgba = paint({ rows: 1, columns: 2, heat: [0, 100] }, [255, 90, 31]);
  assert.deepEqual([...rgba.slice(0, 4)], [255, 90, 31, 0]);
  assert.deepEqual([...rgba.slice(4, 7)], [255, 90, 31]);
  assert.ok(rgba[7] > 150);
});

test("only a map of the whole photo, with as many values as places, is drawn", () => {
  assert.equal(wholeMap([]), null);
  assert.equal(wholeMap(undefined), null);
  assert.equal(wholeMap([{ field: "title", start: 0, end: 3 }]), null);
  assert.equal(wholeMap([{ rows: 2, columns: 2, heat: [1, 2, 3], box: [0, 0, 1, 1] }]), null);
  assert.equal(wholeMap([{ rows: 1, columns: 1, heat: [9], box: [0.5, 0, 0.5, 1] }]), null);
  assert.deepEqual(wholeMap([map(2, 2, [0, 0])])?.rows, 2);
});

test("a verdict in words says what, where, and how sure", () => {
  assert.equal(state(warned([map(4, 4, [0, 0])]), POLICIES).text, "Looks like: Weapons, mostly at the upper left.");
  assert.equal(state(warned([]), POLICIES).text, "Looks like: Weapons.");
  assert.equal(found({ decision: "unsure", policy: "weapons", evidence: [] }, POLICIES, ""), "Not sure: it may be Weapons.");
  assert.equal(found({ decision: "pass", policy: "", evidence: [] }, POLICIES, "on this device"), "Nothing found on this device.");
  assert.equal(found({ decision: "warn", policy: "weapons", evidence: [] }, new Map(), ""), "Looks like: weapons.");
});

test("each state of a photo has its own words", () => {
  assert.equal(state({ ready: false }, POLICIES).kind, "wait");
  assert.match(state({ ready: true }, POLICIES).text, /Checking on this device/);
  assert.equal(state({ ready: true, note: "This browser cannot show HEIC." }, POLICIES).text, "This browser cannot show HEIC.");
  assert.match(state({ ready: true, unchecked: "the model could not be downloaded" }, POLICIES).text, /Not checked on this device: the model/);
  const tiny = { ready: true, width: 20, height: 300, verdict: { decision: "pass", policy: "", evidence: [] } };
  assert.match(state(tiny, POLICIES).text, /very small picture/);
  assert.equal(state({ ...tiny, width: 150 }, POLICIES).text, "Nothing found on this device.");
  assert.equal(state({ server: "7", ready: true }, POLICIES).text, "Stored already.");
});

test("the panel counts what was checked and names the photos to look at", () => {
  const pass = { ready: true, verdict: { decision: "pass", policy: "", evidence: [] } };
  const unsure = { ready: true, verdict: { decision: "unsure", policy: "weapons", evidence: [] } };
  assert.equal(summary([{ ready: true }], POLICIES).text, "");
  const unchecked = { ready: true, unchecked: "this device took too long" };
  assert.equal(summary([unchecked], POLICIES).text, "One photo could not be checked on this device: it is checked after you submit.");
  assert.match(summary([pass, unchecked, { ready: true, note: "This browser cannot show HEIC." }], POLICIES).text, /^One photo was checked .* 2 photos could not be checked on this device: they are checked after you submit.$/);
  assert.equal(summary([pass], POLICIES).text, "One photo was checked on your device: nothing found that breaks our rules.");
  const { text, warned: places } = summary([pass, { ready: false }, warned([]), unsure], POLICIES);
  assert.equal(text, "3 photos were checked on your device: please look at photo 3 before you publish; not sure about photo 4.");
  assert.deepEqual(places.map(({ place, policy }) => [place, policy]), [[3, "weapons"]]);
});

test("bytes are told as kilobytes, never as none", () => {
  assert.deepEqual([kilobytes(8192), kilobytes(8112), kilobytes(3)], ["8 KB", "7.9 KB", "0.1 KB"]);
});
