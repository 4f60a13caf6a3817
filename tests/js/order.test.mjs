import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange } from "../../static/js/pages/feed/order.js";

const pinned = (...ids) => new Set(ids);

test("without anything in use, cards stand as wanted", () => {
  assert.deepEqual(arrange(["a", "b", "c"], ["c", "a", "b"], pinned(), 3), ["c", "a", "b"]);
});

test("what is in use keeps its place, the others fill the rest in order", () => {
  assert.deepEqual(arrange(["a", "b", "c", "d"], ["d", "c", "b", "a"], pinned("a", "b"), 4), ["a", "b", "d", "c"]);
});

test("new cards come in where none is in use; nothing stands twice", () => {
  assert.deepEqual(arrange(["a", "b", "c"], ["x", "a", "y", "z"], pinned("a"), 3), ["a", "x", "y"]);
});

test("a card in use that is wanted no more stays until it is no longer in use", () => {
  assert.deepEqual(arrange(["a", "b"], ["b", "c"], pinned("a"), 2), ["a", "b"]);
});

test("too few cards leave no holes", () => {
  assert.deepEqual(arrange(["a", "b", "c"], ["b"], pinned("c"), 3), ["b", "c"]);
});
