import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, PHOTO } from "../../static/js/ml/client.js";

const FIELDS = [["title", "a lamp"], ["description", ""]];
const later = (milliseconds = 0) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A worker that answers as told: answer(message, post) is called for every message it gets. */
class FakeWorker extends EventTarget {
  constructor(answer) {
    super();
    this.answer = answer;
    this.heard = [];
    this.ended = false;
  }
  postMessage(message) {
    this.heard.push(message);
    const post = (data) => queueMicrotask(() => this.dispatchEvent(Object.assign(new Event("message"), { data })));
    this.answer(message, post, this);
  }
  terminate() {
    this.ended = true;
  }
}

function clientWith(answer, options = {}) {
  const workers = [];
  const client = createClient({
    workerUrl: "/worker.js",
    manifestUrl: "/manifest",
    fetcher: async () => new Response(""),
    spawn: () => {
      const worker = new FakeWorker(answer);
      workers.push(worker);
      return worker;
    },
    ...options,
  });
  return { client, workers };
}

const works = (message, post) => {
  if (message.type === "load") post({ type: "ready", model: { name: "listing-text" }, ms: 1, resources: [] });
  if (message.type === "check") post({ type: "verdict", id: message.id, verdict: { decision: "pass" } });
};

test("no worker before the first call, one for all calls after", async () => {
  const { client, workers } = clientWith(works);
  assert.equal(workers.length, 0);
  await client.load();
  await client.check(FIELDS);
  await client.check(FIELDS);
  assert.equal(workers.length, 1);
  assert.equal(workers[0].heard.filter(({ type }) => type === "load").length, 1);
  client.stop();
});

test("what the worker will import is fetched beside it, once, and a failure of that is no failure", async () => {
  const asked = [];
  const fetcher = (url, options) => {
    asked.push([url, options?.credentials]);
    return Promise.reject(new TypeError("offline"));
  };
  const { client, workers } = clientWith(works, { fetcher, workerImports: ["/a.js", "/b.mjs"] });
  assert.deepEqual(asked, [], "nothing before the first call");
  const loading = client.load();
  assert.deepEqual(asked, [["/manifest", "omit"], ["/a.js", undefined], ["/b.mjs", undefined]]);
  assert.equal((await loading).status, "ready");
  client.stop();
  assert.equal((await client.check(FIELDS)).status, "verdict");
  assert.equal(workers.length, 2);
  assert.equal(asked.length, 3);
  client.stop();
});

test("a check answers with the verdict and the time it took", async () => {
  const { client } = clientWith(works);
  const answer = await client.check(FIELDS);
  assert.equal(answer.status, "verdict");
  assert.deepEqual(answer.verdict, { decision: "pass" });
  assert.ok(answer.ms >= 0);
  client.stop();
});

test("a worker that cannot be made is an answer, not an exception", async () => {
  const { client } = clientWith(works, {
    spawn: () => {
      throw new DOMException("blocked", "SecurityError");
    },
  });
  const answer = await client.check(FIELDS);
  assert.equal(answer.status, "unavailable");
  assert.equal(answer.code, "worker");
  assert.match(answer.reason, /could not start/);
});

test("a worker script that is not there (error event) is an answer", async () => {
  const { client, workers } = clientWith((message, _post, worker) => {
    if (message.type === "load") queueMicrotask(() => worker.dispatchEvent(new Event("error", { cancelable: true })));
  });
  const answer = await client.check(FIELDS);
  assert.equal(answer.code, "worker");
  assert.equal(workers[0].ended, true);
  assert.equal(client.running, false);
});

for (const code of ["manifest", "model-download", "model-corrupt", "insecure", "runtime"]) {
  test(`a failed load (${code}) tells the reason and ends the worker`, async () => {
    const { client, workers } = clientWith((message, post) => {
      if (message.type === "load") post({ type: "failed", id: null, code, message: "details" });
    });
    const answer = await client.load();
    assert.deepEqual([answer.status, answer.code, answer.detail], ["unavailable", code, "details"]);
    assert.notEqual(answer.reason, "");
    assert.equal(workers[0].ended, true);
  });
}

test("after a failure typing does not start worker after worker, until the wait is over or retry is called", async () => {
  let time = 0;
  const { client, workers } = clientWith(
    (message, post) => message.type === "load" && post({ type: "failed", id: null, code: "manifest", message: "" }),
    { retryAfterMs: 1000, now: () => time },
  );
  await client.check(FIELDS);
  await client.check(FIELDS);
  assert.equal(workers.length, 1);
  time = 1500;
  await client.check(FIELDS);
  assert.equal(workers.length, 2);
  client.retry();
  await client.check(FIELDS);
  assert.equal(workers.length, 3);
});

test("a device that is too slow to check gets an answer in time", async () => {
  const { client, workers } = clientWith((message, post) => message.type === "load" && works(message, post), {
    checkTimeoutMs: 20,
  });
  const answer = await client.check(FIELDS);
  assert.deepEqual([answer.status, answer.code], ["unavailable", "too-slow"]);
  assert.equal(workers[0].ended, true);
});

test("a device that is too slow to load gets an answer in time", async () => {
  const { client } = clientWith(() => {}, { loadTimeoutMs: 20 });
  assert.equal((await client.check(FIELDS)).code, "too-slow");
});

test("an aborted check says so at once and cancels the job", async () => {
  const { client, workers } = clientWith((message, post) => message.type === "load" && works(message, post));
  await client.load();
  const controller = new AbortController();
  const promise = client.check(FIELDS, { signal: controller.signal });
  await later();
  controller.abort();
  assert.equal((await promise).status, "aborted");
  assert.equal(workers[0].heard.at(-1).type, "cancel");
  assert.equal((await client.check(FIELDS, { signal: controller.signal })).status, "aborted");
  client.stop();
});

test("a check aborted while the model loads is never sent", async () => {
  let ready;
  const { client, workers } = clientWith((message, post) => {
    if (message.type === "load") ready = () => works(message, post);
  });
  const controller = new AbortController();
  const promise = client.check(FIELDS, { signal: controller.signal });
  controller.abort();
  assert.equal((await promise).status, "aborted");
  ready();
  await later();
  assert.ok(!workers[0].heard.some(({ type }) => type === "check"));
  client.stop();
});

test("a dropped check is superseded", async () => {
  const { client } = clientWith((message, post) => {
    if (message.type === "load") works(message, post);
    if (message.type === "check") post({ type: "dropped", id: message.id });
  });
  assert.equal((await client.check(FIELDS)).status, "superseded");
  client.stop();
});

test("a model run that fails spoils that check only", async () => {
  let fail = true;
  const { client, workers } = clientWith((message, post) => {
    if (message.type === "check" && fail) post({ type: "failed", id: message.id, code: "run", message: "bad shape" });
    else works(message, post);
  });
  assert.equal((await client.check(FIELDS)).code, "run");
  fail = false;
  assert.equal((await client.check(FIELDS)).status, "verdict");
  assert.equal(workers.length, 1);
  client.stop();
});

test("an idle worker is ended, and the next check starts a new one", async () => {
  const { client, workers } = clientWith(works, { idleMs: 10 });
  await client.check(FIELDS);
  const deadline = Date.now() + 2000;
  while (!workers[0].ended && Date.now() < deadline) await later(5);
  assert.equal(workers[0].ended, true);
  assert.equal((await client.check(FIELDS)).status, "verdict");
  assert.equal(workers.length, 2);
  client.stop();
});

test("what an ended worker still says is not heard", async () => {
  const { client, workers } = clientWith((message, post) => message.type === "load" && works(message, post), {
    checkTimeoutMs: 10,
    retryAfterMs: 0,
  });
  await client.check(FIELDS);
  workers[0].dispatchEvent(Object.assign(new Event("message"), { data: { type: "verdict", id: 2, verdict: { decision: "stale" } } }));
  const promise = client.check(FIELDS);
  workers[0].dispatchEvent(Object.assign(new Event("message"), { data: { type: "verdict", id: 2, verdict: { decision: "stale" } } }));
  assert.equal((await promise).code, "too-slow");
});

// --- photos

const both = (message, post) => {
  if (message.type === "load") post({ type: "ready", model: { name: message.name, version: "1" }, ms: 1, resources: [] });
  if (message.type === "check") post({ type: "verdict", id: message.id, verdict: { decision: "pass" } });
  if (message.type === "check-photo") post({ type: "verdict", id: message.id, verdict: { decision: "warn" }, activation: Uint8Array.of(1) });
  if (message.type === "prepare-photo") post({ type: "prepared", id: message.id, blob: message.file, width: 4, height: 3 });
};

test("text and photos share one worker, and each model is loaded once", async () => {
  const { client, workers } = clientWith(both);
  await Promise.all([client.check(FIELDS), client.checkPhoto("blob"), client.prepare("file", 1600), client.load(PHOTO)]);
  assert.equal(workers.length, 1);
  assert.deepEqual(workers[0].heard.filter(({ type }) => type === "load").map(({ name }) => name).sort(), ["listing-photo", "listing-text"]);
  client.stop();
});

test("a photo is made ready without any model", async () => {
  const { client, workers } = clientWith(both);
  assert.deepEqual(await client.prepare("file", 1600).then(({ status, blob, width }) => [status, blob, width]), ["prepared", "file", 4]);
  assert.deepEqual(workers[0].heard.map(({ type }) => type), ["prepare-photo"]);
  client.stop();
});

test("a photo's verdict comes with its activation", async () => {
  const { client } = clientWith(both);
  const answer = await client.checkPhoto("blob");
  assert.deepEqual([answer.status, answer.verdict.decision, answer.activation[0]], ["verdict", "warn", 1]);
  client.stop();
});

test("a photo model that cannot be loaded leaves the text check at work", async () => {
  const { client, workers } = clientWith((message, post) => {
    if (message.name === PHOTO) post({ type: "failed", id: null, name: PHOTO, code: "model-download", message: "404" });
    else both(message, post);
  });
  await client.check(FIELDS);
  const answer = await client.checkPhoto("blob");
  assert.deepEqual([answer.status, answer.code], ["unavailable", "model-download"]);
  assert.equal((await client.check(FIELDS)).status, "verdict");
  assert.equal((await client.prepare("file", 1600)).status, "prepared");
  assert.equal(workers.length, 1);
  assert.equal(workers[0].ended, false);
  client.stop();
});

test("a failed load does not end the worker under a photo that is being made ready", async () => {
  const { client, workers } = clientWith((message, post) => {
    if (message.type === "load") post({ type: "failed", id: null, name: message.name, code: "manifest", message: "" });
    if (message.type === "prepare-photo") setTimeout(() => both(message, post), 10);
  });
  const preparing = client.prepare("file", 1600);
  assert.equal((await client.load()).code, "manifest");
  assert.equal((await preparing).status, "prepared");
  assert.equal(workers.length, 1);
  client.stop();
});

test("a photo that takes too long to be made ready spoils that photo only: those behind it get another worker", async () => {
  let hangs = true;
  const answers = (message, post) => {
    if (message.type !== "prepare-photo") return both(message, post);
    if (!hangs) post({ type: "prepared", id: message.id, blob: "small" });
  };
  const { client, workers } = clientWith(answers, { prepareTimeoutMs: 10 });
  assert.equal((await client.prepare("file", 1600)).code, "too-slow");
  hangs = false;
  assert.equal((await client.prepare("other", 1600)).status, "prepared");
  assert.equal((await client.check(FIELDS)).status, "verdict");
  assert.equal(workers.length, 2);
  client.stop();
});

test("why a file is no photo arrives at the caller", async () => {
  const { client } = clientWith((message, post) => message.type === "prepare-photo" && post({ type: "failed", id: message.id, code: "cut-off", message: "" }));
  const answer = await client.prepare("file", 1600);
  assert.deepEqual([answer.status, answer.code], ["unavailable", "cut-off"]);
  client.stop();
});
