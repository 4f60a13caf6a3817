// Making photos ready and judging them, with a worker that answers as told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createWork } from "../../static/js/pages/sell/photo_work.js";

const LIMITS = { photos: 8, photo_bytes: 1000, types: ["image/jpeg", "image/heic"] };
const MODEL = { version: "1", variant: "int8", policies_version: "7" };
const PASS = { decision: "pass", ...MODEL };
const photo = (id, kind = "image/jpeg") => ({ id, name: `${id}.jpg`, kind, size: 500, blob: new Blob(["original"]), ready: false });
const small = new Blob(["small"], { type: "image/jpeg" });

function device(answers = {}, opens = async () => true) {
  const calls = [];
  const heard = { changed: [], refused: [], judged: [] };
  const client = {
    prepare: async (blob, longest, { signal }) => {
      calls.push(["prepare", longest]);
      return (await answers.prepare?.(blob, signal)) ?? { status: "prepared", blob: small, width: 4, height: 3 };
    },
    load: async () => answers.load?.() ?? { status: "ready", model: MODEL },
    checkPhoto: async (blob) => {
      calls.push(["check", blob]);
      return answers.check?.() ?? { status: "verdict", verdict: PASS, activation: Uint8Array.of(1), timing: {} };
    },
  };
  const work = createWork({
    client,
    limits: LIMITS,
    changed: ({ id }) => heard.changed.push(id),
    refused: ({ id }, text) => heard.refused.push([id, text]),
    judged: ({ id }) => heard.judged.push(id),
    opens,
  });
  return { work, calls, heard };
}

async function done(work) {
  await work.prepared();
  await work.checked();
}

test("the file that is judged is the one that will be sent", async () => {
  const { work, calls } = device();
  const one = photo("a");
  work.add(one);
  await done(work);
  assert.equal(one.blob, small);
  assert.deepEqual(calls, [["prepare", 1600], ["check", small]]);
  assert.deepEqual([one.ready, one.width, one.size, one.verdict], [true, 4, 5, PASS]);
});

test("only one photo at a time is in memory to be made ready", async () => {
  let running = 0;
  let most = 0;
  const { work } = device({
    prepare: async () => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
    },
  });
  const eight = Array.from({ length: 8 }, (_, number) => photo(String(number)));
  eight.forEach(work.add);
  await done(work);
  assert.equal(most, 1);
  assert.ok(eight.every(({ verdict }) => verdict === PASS));
});

test("a model that is slow to come does not keep the next photo from being made ready", async () => {
  let arrive;
  const { work } = device({ load: () => new Promise((resolve) => (arrive = resolve)) });
  const [one, two] = [photo("a"), photo("b")];
  [one, two].forEach(work.add);
  await work.prepared();
  assert.deepEqual([one.ready, two.ready, one.verdict], [true, true, undefined]);
  await new Promise((resolve) => setTimeout(resolve));
  arrive({ status: "ready", model: MODEL });
});

test("a file that is no photo is refused by name, and the rest goes on", async () => {
  let first = true;
  const { work, heard } = device({ prepare: () => (first ? ((first = false), { status: "unavailable", code: "cut-off" }) : undefined) });
  const [one, two] = [photo("a"), photo("b")];
  [one, two].forEach(work.add);
  await done(work);
  assert.deepEqual(heard.refused.map(([id]) => id), ["a"]);
  assert.match(heard.refused[0][1], /“a.jpg” is damaged/);
  assert.equal(two.verdict, PASS);
});

test("a HEIC that this browser cannot open stays as it is, unjudged, and says so", async () => {
  const { work, calls, heard } = device({ prepare: () => ({ status: "unavailable", code: "cannot-open" }) });
  const one = photo("a", "image/heic");
  work.add(one);
  await done(work);
  assert.equal(await one.blob.text(), "original");
  assert.match(one.note, /cannot show HEIC. It is checked after you submit/);
  assert.ok(!calls.some(([kind]) => kind === "check"));
  assert.deepEqual(heard.refused, []);
});

test("where the worker cannot run, the original is sent if the browser can open it", async () => {
  for (const code of ["worker", "too-slow", "run"]) {
    const good = device({ prepare: () => ({ status: "unavailable", code }) });
    const one = photo("a");
    good.work.add(one);
    await done(good.work);
    assert.deepEqual([one.ready, await one.blob.text()], [true, "original"], code);
    const bad = device({ prepare: () => ({ status: "unavailable", code }) }, async () => false);
    bad.work.add(photo("b"));
    await done(bad.work);
    assert.match(bad.heard.refused[0][1], /cannot be opened as a photo/, code);
  }
});

test("without a model the photo is unchecked with the reason, and can be checked later", async () => {
  let online = false;
  const { work } = device({ check: () => (online ? undefined : { status: "unavailable", reason: "the model could not be downloaded" }) });
  const one = photo("a");
  work.add(one);
  await done(work);
  assert.equal(one.unchecked, "the model could not be downloaded");
  online = true;
  work.add(one);
  await done(work);
  assert.deepEqual([one.unchecked, one.verdict], ["", PASS]);
});

test("activations are kept for an unsure photo only", async () => {
  const { work } = device({ check: () => ({ status: "verdict", verdict: { ...PASS, decision: "unsure" }, activation: Uint8Array.of(5) }) });
  const unsure = photo("a");
  work.add(unsure);
  await done(work);
  assert.deepEqual([...unsure.activation], [5]);
  const calm = device();
  const pass = photo("b");
  calm.work.add(pass);
  await done(calm.work);
  assert.equal(pass.activation, null);
});

test("what the draft brings back is judged again only by another model", async () => {
  const { work, calls } = device();
  const same = { ...photo("a"), ready: true, verdict: PASS };
  const older = { ...photo("b"), ready: true, verdict: { ...PASS, version: "0" } };
  [same, older].forEach(work.add);
  await done(work);
  assert.equal(calls.length, 1);
  assert.equal(older.verdict.version, "1");
});

test("a photo taken out is not worked on any more", async () => {
  const { work, calls, heard } = device({ prepare: async () => void (await new Promise((resolve) => setTimeout(resolve, 2))) });
  const [one, two] = [photo("a"), photo("b")];
  [one, two].forEach(work.add);
  work.drop(two);
  work.drop(one);
  await done(work);
  assert.deepEqual([calls.length <= 1, heard.changed, one.verdict, two.verdict], [true, [], undefined, undefined]);
});
