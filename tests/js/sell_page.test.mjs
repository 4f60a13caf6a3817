// The parts of the sell page that need no page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sortFiles } from "../../static/js/pages/sell/photo_rules.js";
import { segments, words } from "../../static/js/pages/sell/segments.js";

const LIMITS = { photos: 3, photo_bytes: 15 * 1024 * 1024, types: ["image/jpeg", "image/png", "image/webp"] };
const file = (name, type = "image/jpeg", size = 1000) => ({ name, type, size });

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

test("photos of the right kind and size are taken, up to the limit", () => {
  const { accepted, problems } = sortFiles([file("a.jpg"), file("b.png", "image/png"), file("c.webp", "image/webp")], 1, LIMITS);
  assert.deepEqual(accepted.map(({ name }) => name), ["a.jpg", "b.png"]);
  assert.deepEqual(problems, ["A listing has at most 3 photos. One photo was left out."]);
});

test("each refused file is named with its reason", () => {
  const { accepted, problems } = sortFiles(
    [file("notes.txt", "text/plain"), file("drawing.svg", "image/svg+xml"), file("huge.jpg", "image/jpeg", 50 * 1024 * 1024), file("empty.jpg", "image/jpeg", 0)],
    0,
    LIMITS,
  );
  assert.equal(accepted.length, 0);
  assert.deepEqual(problems, [
    "“notes.txt” is not a JPEG, PNG or WebP photo.",
    "“drawing.svg” is not a JPEG, PNG or WebP photo.",
    "“huge.jpg” is too big: 50 MB. A photo may have 15 MB.",
    "“empty.jpg” is empty.",
  ]);
});
