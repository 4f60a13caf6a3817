/**
 * The console by keyboard: every button that has a key shows it (data-key). Also what only a script can do: renewing the
 * claim while somebody works, showing what the merchant will read as it is written, counting down to when a decision is
 * in force. Without it every form works by itself.
 */
import { el } from "./sell/dom.js";

const PREVIEW_AFTER_MS = 350;
const RENEW_SHARE = 0.4; // of a lease
const NO_LETTERS = "moderation-no-letters"; // in localStorage, "1" when keys that also write mean nothing here
const TICK_MS = 1000;

const form = document.querySelector("form[data-decision]");
const sheet = document.getElementById("keys");
const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
const usual = JSON.parse(document.getElementById("usual-words")?.textContent ?? "{}");

// --- Keys ------------------------------------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.metaKey) return;
  if (event.key === "Escape") return leave();
  if (event.key === "Enter" && event.ctrlKey && form?.contains(document.activeElement)) {
    event.preventDefault();
    return decideAsArmed();
  }
  if (event.ctrlKey || isWriting(event.target)) return;
  if (pressed(event.key.length === 1 ? event.key.toLowerCase() : event.key, event.repeat)) event.preventDefault();
});
document.addEventListener("keyup", (event) => {
  if (event.key.toLowerCase() === "v") show(false);
});
window.addEventListener("blur", () => show(false));
for (const button of document.querySelectorAll('[data-key="?"]')) button.addEventListener("click", () => sheet?.showModal());
document.querySelector('[data-key="t"]')?.addEventListener("click", putInUsualWords);
for (const button of form?.querySelectorAll("[data-action]") ?? []) {
  button.addEventListener("click", (event) => {
    if (!arm(button)) event.preventDefault();
  });
}

function isWriting(target) {
  return target.closest("textarea, select, input:not([type=checkbox]):not([type=radio]), dialog") !== null;
}

// Whoever speaks to the machine, or hits keys by chance, can turn off those that also write; Enter and Esc stay.
const letters = document.querySelector("[data-letters]");
if (letters) {
  letters.checked = lettersMean();
  letters.addEventListener("change", () => {
    try {
      if (letters.checked) localStorage.removeItem(NO_LETTERS);
      else localStorage.setItem(NO_LETTERS, "1");
    } catch {
      // Nothing can be kept here: it holds for this page.
    }
  });
}

function lettersMean() {
  try {
    return localStorage.getItem(NO_LETTERS) !== "1";
  } catch {
    return true;
  }
}

/** True when the key meant something here. */
function pressed(key, repeats) {
  if (key.length === 1 && letters?.checked === false) return false;
  if (key === "v") {
    show(true);
    return true;
  }
  if (repeats) return false;
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
  if (key === "x") return choose();
  if (key === "Enter") return openRow();
  if (/^[1-9]$/.test(key)) return choosePolicy(Number(key));
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return false;
  target.click();
  return true;
}

function leave() {
  if (form?.contains(document.activeElement)) document.activeElement.blur();
}

function show(shown) {
  document.body.classList.toggle("unveiled", shown);
}

// --- The decision ----------------------------------------------------------------------------------------------------
let armed = null; // nothing is done that nobody chose

/** Remember what is to be done; false, and the cursor where something lacks, when it cannot be done yet. */
function arm(button) {
  armed = button;
  for (const each of form.querySelectorAll("[data-action]")) each.classList.toggle("is-armed", each === button);
  void preview();
  const { policy, reason } = form.elements;
  if (["reject", "modify"].includes(button.value) && !policy.value) return demand(policy, "Choose the policy that it breaks.");
  if (button.value !== "approve" && reason.value.trim().length < 10) {
    const lacks = button.value === "escalate" ? "Write what the next moderator should know" : "Write the reason";
    return demand(reason, `${lacks}: ten characters or more.`);
  }
  return true;
}

function demand(field, sentence) {
  const place = field.closest(".field");
  place.querySelector(".field-error")?.remove();
  const said = el("p.field-error", { role: "alert" }, sentence);
  place.append(said);
  field.addEventListener("input", () => said.remove(), { once: true });
  field.focus();
  return false;
}

function decideAsArmed() {
  const sure = form.querySelector("[name=sure]"); // several at once: what is done was chosen before
  if (armed ? arm(armed) : sure) form.requestSubmit(armed ?? sure);
  else if (!armed) demand(form.elements.reason, "Choose first what is to be done: leave this field with Esc and press its key.");
}

function choosePolicy(place) {
  const policy = form?.elements.policy;
  const option = policy?.options[place];
  if (!option) return false;
  policy.value = option.value;
  policy.dispatchEvent(new Event("input", { bubbles: true }));
  return true;
}

function putInUsualWords() {
  const { policy, reason } = form.elements;
  if (!policy.value) return demand(policy, "Choose the policy first: its usual words come with it.");
  const words = usual[policy.value] ?? "";
  if (!reason.value.includes(words)) reason.value = [reason.value.trim(), words].filter(Boolean).join(" ");
  reason.dispatchEvent(new Event("input", { bubbles: true }));
  reason.focus();
  return true;
}

let waiting = 0;
let asked = 0;
form?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => void preview(), PREVIEW_AFTER_MS);
});
form?.querySelector(".will-read")?.addEventListener("toggle", () => void preview());

async function preview() {
  const details = form?.querySelector(".will-read");
  if (!details?.open) return;
  const place = details.querySelector("[data-will-read]");
  const number = ++asked;
  const body = new URLSearchParams({
    of: form.querySelector("[data-armed]")?.value ?? armed?.value ?? "",
    policy: form.elements.policy.value,
    reason: form.elements.reason.value,
  });
  const named = form.querySelectorAll("[type=hidden][name=job], [name=job]:checked, [name=photos]:checked");
  for (const each of named) body.append(each.name, each.value);
  try {
    const answer = await fetch(form.dataset.preview, { method: "POST", body, headers: { "X-CSRFToken": token } });
    if (!answer.ok) throw new Error(String(answer.status));
    const { messages } = await answer.json();
    if (number === asked) place.replaceChildren(...written(messages));
  } catch {
    if (number === asked) place.replaceChildren(el("p.muted", {}, "This cannot be shown at the moment; deciding works."));
  }
}

/** One message in full; of several, each under its title. */
function written(messages) {
  const text = ({ paragraphs }) => paragraphs.map((paragraph) => el("p", {}, paragraph));
  if (messages.length === 1) return [el("p", {}, el("strong", {}, messages[0].title)), ...text(messages[0])];
  return messages.map((each, at) => el("details", at === 0 ? { open: "" } : {}, el("summary", {}, each.title), ...text(each)));
}

// --- The claim -------------------------------------------------------------------------------------------------------
const held = document.querySelector("[data-renew]");
if (held) {
  let touched = false;
  for (const kind of ["input", "keydown", "pointerdown", "scroll"]) {
    document.addEventListener(kind, () => (touched = true), { passive: true });
  }
  const every = Number(held.dataset.minutes) * 60_000 * RENEW_SHARE;
  const timer = setInterval(async () => {
    if (!touched) return;
    touched = false;
    const said = document.querySelector("[data-lease]");
    try {
      const answer = await fetch(held.dataset.renew, { method: "POST", headers: { "X-CSRFToken": token } });
      const { until, message } = await answer.json();
      if (answer.status === 409) {
        clearInterval(timer);
        said?.replaceChildren(el("strong", {}, message));
        said?.classList.add("notice", "notice--warning");
      } else if (until && said) {
        const time = new Date(until).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
        said.textContent = `Yours until ${time}; working on it counts anew.`;
      }
    } catch {
      // Without a network the claim runs out by itself; the server says so when somebody decides.
    }
  }, every);
}

// --- What can still be taken back ------------------------------------------------------------------------------------
const pending = [...document.querySelectorAll("[data-pending]")];
if (pending.length > 0) {
  // The server says how much time is left: the clock of this device may be wrong.
  const began = performance.now();
  const timer = setInterval(tick, TICK_MS);
  tick();
  function tick() {
    let living = 0;
    for (const each of pending.filter((form) => form.isConnected)) {
      const seconds = Math.ceil(each.dataset.left - (performance.now() - began) / 1000);
      if (seconds > 0) {
        living += 1;
        each.querySelector("[data-seconds]").textContent = `in ${seconds} s`;
      } else {
        leavePlace(each);
        each.remove();
        document.querySelector(".pending-more:not(:has(form))")?.remove();
        giveKey();
      }
    }
    if (living === 0) clearInterval(timer);
  }
}

/** U takes back the latest that still can be. */
function giveKey() {
  const latest = pending.find((form) => form.isConnected)?.querySelector("button");
  if (latest) latest.dataset.key = "u";
}

/** Who stands on what goes away goes on at the next that can be taken back, or at the beginning of the page's matter. */
function leavePlace(form) {
  if (!form.contains(document.activeElement)) return;
  const next = pending.find((each) => each !== form && each.isConnected)?.querySelector("button");
  const heading = document.querySelector("main h1");
  if (!next) heading?.setAttribute("tabindex", "-1");
  (next ?? heading)?.focus();
}

// --- Rows of the queue -----------------------------------------------------------------------------------------------
const rows = [...document.querySelectorAll("[data-row]")];

function current() {
  return rows.findIndex((row) => row.contains(document.activeElement));
}

function step(by) {
  if (rows.length === 0) return false;
  const at = current();
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  rows[next].querySelector("[data-open]").focus();
  return true;
}

function choose() {
  const box = rows[current()]?.querySelector("input[type=checkbox]");
  if (!box) return false;
  box.checked = !box.checked;
  return true;
}

/** A link that has the focus opens by itself; a box in a row does not. */
function openRow() {
  const row = rows[current()];
  if (!row || document.activeElement.matches("a, button")) return false;
  row.querySelector("[data-open]").click();
  return true;
}

document.body.dataset.keys = "ready"; // for tests: a key that is pressed before means nothing
