// checkText() with the published model: the browser's whole path but for the worker around it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as ort from "onnxruntime-web";
import { checkText, StaleError } from "../../static/js/ml/check.js";

const here = (path) => new URL(`../../${path}`, import.meta.url);
const entry = JSON.parse(readFileSync(here("models/published/manifest.json"), "utf8")).models["listing-text"];
const variant = entry.published.device;
const model = { ...entry, variant };
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(readFileSync(here(`models/published/${entry.variants[variant].file}`)));

let runs = 0;
async function run(bytes) {
  runs += 1;
  const { scores, coverage, evidence } = await session.run({ bytes: new ort.Tensor("uint8", bytes, [bytes.length]) });
  return { scores: scores.data, coverage: Number(coverage.data[0]), evidence: evidence.data };
}

const context = { name: "listing-text", provider: "wasm" };
const LAMP = "A brass table lamp from the 1960s with its original linen shade, rewired last year, works well. ";

test("a verdict has every field of the contract, for the device", async () => {
  const fields = [["title", "Brass table lamp"], ["description", LAMP]];
  const verdict = await checkText(fields, model, run, context);
  assert.deepEqual(Object.keys(verdict).sort(), [
    "coverage", "decision", "digest", "evidence", "model", "ms", "policies_version", "policy", "provider", "scores", "variant", "version", "where",
  ]); // prettier-ignore
  assert.equal(verdict.where, "device");
  assert.equal(verdict.decision, "pass");
  assert.equal(verdict.policy, "");
  assert.deepEqual(Object.keys(verdict.scores), entry.labels);
  const packed = `Brass table lamp\n${LAMP}`;
  assert.equal(verdict.digest, createHash("sha256").update(packed).digest("hex"));
});

test("an unsafe text is warned of, and the marks point at its words in their own field", async () => {
  const title = "Xanax bars";
  const description = "2mg alprazolam pills, no prescription needed";
  const verdict = await checkText([["title", title], ["description", description]], model, run, context);
  assert.ok(["warn", "block"].includes(verdict.decision), verdict.decision);
  assert.equal(verdict.policy, "drugs");
  const texts = { title, description };
  const marked = verdict.evidence.map(({ field, start, end }) => texts[field].slice(start, end));
  assert.ok(marked.includes("alprazolam"), marked.join());
  assert.ok(marked.every((word) => `${title} ${description}`.split(" ").includes(word)), marked.join());
});

test("the worst window counts, wherever it is, and its marks are found", async () => {
  const bad = "Xanax bars, 2mg alprazolam pills, no prescription needed. ";
  const description = LAMP.repeat(30) + bad.repeat(36); // windows of about equal size: one of safe text, others of the rest
  runs = 0;
  const verdict = await checkText([["title", "Brass table lamp"], ["description", description]], model, run, context);
  assert.ok(runs > 1);
  assert.equal(verdict.policy, "drugs");
  const words = verdict.evidence.map(({ start, end }) => description.slice(start, end));
  assert.ok(words.includes("2mg"), words.join());
});

test("a stale check stops between windows", async () => {
  runs = 0;
  const fields = [["title", "Lamp"], ["description", LAMP.repeat(60)]];
  await assert.rejects(checkText(fields, model, run, { ...context, isStale: () => runs >= 1 }), StaleError);
  assert.equal(runs, 1);
});
