// The parts of the sell page that need no page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { segments, words } from "../../static/js/pages/sell/segments.js";

test("the pieces are the text again, with the spans marked", () => {
  const text = "fake Rolex, never worn";
  const pieces = segments(text, [{ start: 5, end: 10 }, { start: 0, end: 4 }]);
  assert.equal(pieces.map((piece) => piece.text).join(""), text);
  assert.deepEqual(pieces.filter((piece) => piece.hit).map((piece) => piece.text), ["fake", "Rolex"]);
});

test("overlapping, empty and exceeding spans cannot break or repeat the text", () => {
  const text = "abcdef";
  const pieces = segments(text, [{ start: 1, end: 4 }, { start: 2, end: 3 }, { start: 3, end: 99 }, { start: 5, end: 5 }, { start: -2, end: 0 }]);
  assert.deepEqual(pieces, [{ text: "a", hit: false }, { text: "bcdef", hit: true }]);
  assert.deepEqual(segments("", [{ start: 0, end: 3 }]), []);
  assert.deepEqual(segments(text, []), [{ text, hit: false }]);
});

test("offsets are UTF-16 units, so a marked emoji stays whole", () => {
  assert.deepEqual(segments("a🔫b", [{ start: 1, end: 3 }]).map((piece) => piece.text), ["a", "🔫", "b"]);
});

test("words are quoted once each, the weightiest first", () => {
  const fields = [["title", "xanax bars"], ["description", "xanax, cheap"]];
  const evidence = [
    { field: "title", start: 0, end: 5, weight: 3 },
    { field: "title", start: 6, end: 10, weight: 1 },
    { field: "description", start: 0, end: 6, weight: 2 },
  ];
  assert.deepEqual(words(fields, evidence), ["xanax", "bars"]);
  assert.deepEqual(words([["title", "Bars"], ["description", "bars, Xanax"]], [
    { field: "title", start: 0, end: 4, weight: 1 },
    { field: "description", start: 0, end: 5, weight: 2 },
    { field: "description", start: 6, end: 11, weight: 1.5 },
  ]), ["bars", "Xanax"]);
});
