import assert from "node:assert/strict";
import { test } from "node:test";
import { createQueue } from "../../static/js/ml/queue.js";

function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("one job runs at a time", async () => {
  const gates = [deferred(), deferred()];
  let running = 0;
  let most = 0;
  const queue = createQueue(async ({ id }) => {
    running += 1;
    most = Math.max(most, running);
    await gates[id].promise;
    running -= 1;
  }, assert.fail);
  queue.push({ id: 0 });
  queue.push({ id: 1 });
  gates[0].resolve();
  gates[1].resolve();
  await settled();
  assert.equal(most, 1);
  assert.equal(queue.busy, false);
});

test("of several waiting drafts only the latest runs; the others are told", async () => {
  const first = deferred();
  const ran = [];
  const dropped = [];
  const queue = createQueue(
    async ({ id }) => {
      ran.push(id);
      if (id === 1) await first.promise;
    },
    ({ id }) => dropped.push(id),
  );
  for (const id of [1, 2, 3, 4]) queue.push({ id });
  first.resolve();
  await settled();
  assert.deepEqual(ran, [1, 4]);
  assert.deepEqual(dropped, [2, 3]);
});

test("a running job learns that a newer one waits", async () => {
  const gate = deferred();
  const seen = [];
  const queue = createQueue(async ({ id }, isStale) => {
    if (id !== 1) return;
    seen.push(isStale());
    await gate.promise;
    seen.push(isStale());
  }, assert.fail);
  queue.push({ id: 1 });
  queue.push({ id: 2 });
  gate.resolve();
  await settled();
  assert.deepEqual(seen, [false, true]);
});

test("a cancelled job that still waits never runs", async () => {
  const gate = deferred();
  const ran = [];
  const dropped = [];
  const queue = createQueue(
    async ({ id }) => {
      ran.push(id);
      await gate.promise;
    },
    ({ id }) => dropped.push(id),
  );
  queue.push({ id: 1 });
  queue.push({ id: 2 });
  queue.cancel(2);
  gate.resolve();
  await settled();
  assert.deepEqual([ran, dropped], [[1], [2]]);
});

test("photos wait their turn in order, none takes another's place, and a text goes before them", async () => {
  const gate = deferred();
  const ran = [];
  const queue = createQueue(async ({ id }) => {
    ran.push(id);
    if (id === "first") await gate.promise;
  }, assert.fail);
  for (const id of ["first", "second", "third"]) queue.append({ id });
  queue.push({ id: "text" });
  gate.resolve();
  await settled();
  assert.deepEqual(ran, ["first", "text", "second", "third"]);
});

test("a photo is never stale because a text waits; a cancelled one leaves the line", async () => {
  const gate = deferred();
  const stale = [];
  const ran = [];
  const dropped = [];
  const queue = createQueue(
    async ({ id }, isStale) => {
      ran.push(id);
      if (id === 1) await gate.promise;
      stale.push(isStale());
    },
    ({ id }) => dropped.push(id),
  );
  queue.append({ id: 1 });
  queue.append({ id: 2 });
  queue.push({ id: 3 });
  queue.cancel(2);
  gate.resolve();
  await settled();
  assert.deepEqual([ran, stale, dropped], [[1, 3], [false, false], [2]]);
});
