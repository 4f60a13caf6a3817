/** When to check: debounced while typing, latest wins, and once more for exactly the text that is submitted. */
import { PHOTO } from "../../ml/client.js";
import { isBlank } from "./form_text.js";

const PAUSE_MS = 250;
const SUBMIT_WAIT_MS = 1500;
const SLOW_SAY_MS = 400;
const RENEW_MS = 60_000; // how often the list of models is asked while somebody writes; unchanged, that is 300 bytes
const IN_USE_MS = 600_000; // after the last key

/**
 * @param {object} client from ml/client.js
 * @param {object} findings from findings.js
 * @param {() => Array<[string, string]>} currentFields
 */
export function createTextCheck(client, findings, currentFields) {
  let started = false;
  let timer = null;
  let running = null; // {key, controller, promise}
  let last = null; // {key, verdict}
  let pause = PAUSE_MS;
  let touched = 0;
  let asked = 0;

  const keyOf = (fields) => JSON.stringify(fields);

  /** The merchant has touched the form: fetch runtime and model, then check what is there. */
  async function start(onLoaded) {
    if (started) return;
    started = true;
    findings.waiting("Getting the check ready on this device…");
    const answer = await client.load();
    touched = asked = Date.now();
    setInterval(() => Date.now() - touched < IN_USE_MS && void renew(), RENEW_MS);
    document.addEventListener("visibilitychange", () => Date.now() - asked > RENEW_MS / 2 && void renew());
    findings.outdated(Boolean(answer.problem));
    onLoaded(answer);
    if (answer.status === "unavailable") findings.unavailable(answer.reason);
    else if (isBlank(currentFields())) findings.clear("Ready: your text is checked on this device while you write.");
    else void check();
  }

  /** What the moderators published meanwhile counts for the text that is on the page already. */
  async function renew() {
    if (document.hidden || !navigator.onLine) return;
    asked = Date.now();
    void client.renewed(PHOTO); // counts for the photos that are chosen from now on
    if (!(await client.renewed())) return;
    const answer = await client.load();
    if (answer.status !== "ready") return;
    findings.outdated(Boolean(answer.problem));
    running?.controller.abort();
    running = last = null;
    void check();
  }

  function typed() {
    if (!started) return;
    touched = Date.now();
    clearTimeout(timer);
    timer = setTimeout(check, pause);
  }

  function check() {
    clearTimeout(timer);
    const fields = currentFields();
    const key = keyOf(fields);
    if (running?.key === key) return running.promise;
    running?.controller.abort();
    running = null;
    if (isBlank(fields)) {
      last = null;
      findings.clear();
      return Promise.resolve(null);
    }
    if (last?.key === key) return Promise.resolve(last.verdict);
    const controller = new AbortController();
    const mine = { key, controller };
    mine.promise = answerFor(fields, key, controller, mine);
    running = mine;
    return mine.promise;
  }

  async function answerFor(fields, key, controller, mine) {
    const slow = setTimeout(() => running === mine && findings.waiting("Checking on this device…"), SLOW_SAY_MS);
    const answer = await client.check(fields, { signal: controller.signal });
    clearTimeout(slow);
    if (running !== mine && running !== null) return null; // a newer check will speak
    if (running === mine) running = null;
    if (answer.status === "verdict") {
      last = { key, verdict: answer.verdict };
      pause = Math.max(PAUSE_MS, Math.min(2000, answer.verdict.ms * 2)); // a slow device is asked less often
      await findings.verdict(fields, answer.verdict);
      return answer.verdict;
    }
    if (answer.status === "unavailable") {
      last = null;
      findings.unavailable(answer.reason);
    }
    return null;
  }

  return {
    start,
    typed,
    check,
    /** The verdict for exactly these fields, or null when the device does not answer in time. */
    async forSubmit() {
      if (!started) return null;
      const key = keyOf(currentFields());
      const late = new Promise((resolve) => setTimeout(resolve, SUBMIT_WAIT_MS, null));
      await Promise.race([check(), late]);
      return last?.key === key ? last.verdict : null;
    },
  };
}
