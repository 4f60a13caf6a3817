// What the pages say about a heart, a dismissal and an order must be what is so.
import assert from "node:assert/strict";
import { test } from "node:test";
import { caveat, dismissalCover, dismissalSaid, favouriteSaid, FLEETING, forYouSaid, PAUSED, renewedSaid } from "../../static/js/pages/feed/said.js";

const KEPT = { isKept: true, isPaused: false, isLasting: true };
const IN_PAUSE = { isKept: false, isPaused: true, isLasting: true };
const BLOCKED = { isKept: true, isPaused: false, isLasting: false };

test("what is kept needs no caveat; in a pause and in a browser that keeps nothing it is said", () => {
  assert.deepEqual([KEPT, IN_PAUSE, BLOCKED].map(caveat), ["", PAUSED, FLEETING]);
  assert.equal(favouriteSaid("Teapot", KEPT), "Favourite: Teapot.");
  assert.equal(favouriteSaid("Teapot", IN_PAUSE), PAUSED);
  assert.equal(favouriteSaid("Teapot", BLOCKED), `Favourite: Teapot. ${FLEETING}`);
});

test("a dismissal claims an effect only where there is one", () => {
  assert.match(dismissalCover(KEPT), /less like it/);
  for (const kept of [IN_PAUSE, BLOCKED]) assert.doesNotMatch(dismissalCover(kept), /less like it/);
  assert.match(dismissalCover(IN_PAUSE), /paused/);
  assert.match(dismissalSaid("Teapot", IN_PAUSE, false), /paused/);
});

test("a new order is said only when there is one", () => {
  assert.match(dismissalSaid("Teapot", KEPT, true), /new order/);
  assert.equal(dismissalSaid("Teapot", KEPT, false), "Not interested in Teapot.");
});

test("“For you” says where its cards come from", () => {
  const shown = (more) => forYouSaid({ isPaused: false, hasTaste: true, source: "nearest", ...more });
  assert.match(shown({}), /^Chosen by your device/);
  assert.match(shown({ hasTaste: false, source: "new" }), /knows nothing of you yet/);
  assert.match(shown({ isPaused: true }), /paused: this is what everybody sees/);
  assert.match(shown({ source: "popular" }), /popular and new, sorted by your device/);
});

test("a renewal says what came of it", () => {
  assert.equal(renewedSaid("new"), "“For you” is renewed.");
  assert.match(renewedSaid("offline"), /offline/);
  assert.match(renewedSaid("failed"), /did not answer/);
});
