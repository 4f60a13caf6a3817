/** The sell page: finds the elements, listens, and calls. The form works without any of this. */
import { openDrafts } from "../drafts.js";
import { createSync } from "../draft_sync.js";
import { createClient, PHOTO } from "../ml/client.js";
import { createKeeper } from "./sell/draft_keeper.js";
import { el, prefetch } from "./sell/dom.js";
import { createFindings } from "./sell/findings.js";
import { readFields, textFields, wasTyped, writeFields } from "./sell/form_text.js";
import { keepOffline, rememberedOwner } from "./sell/offline.js";
import { createPhotos } from "./sell/photos.js";
import { createTextCheck } from "./sell/text_check.js";

const OFFLINE_SUBMIT = "Not sent: you are offline. Your draft is safe on this device; press the button again when the network is back.";
const SAVE_WAIT_MS = 3000;
const PROBE_WAIT_MS = 1500;
const REOPEN_AFTER_MS = 20_000;
// In the tab's memory: the key of a draft that is being sent, or that this page was loaded for when the network came back.
const [UNDER_WAY, BACK] = ["sending", "back"];
const NOT_SENT = {
  [UNDER_WAY]: "Not sent yet: this page was closed or loaded again while it was sending. Look whether everything is here, then press the button to go on.",
  [BACK]: "Not sent yet: the network is back, and everything you wrote is here. Press the button once more to send it.",
};
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const form = document.getElementById("sell-form");
if (form) void start(form);

async function start(form) {
  const page = form.dataset;
  const data = JSON.parse(document.getElementById("sell-data").textContent);
  const isShell = page.shell === "1";
  showErrors(document.getElementById("form-errors"));

  for (const node of document.querySelectorAll(".no-js-only")) node.remove();
  form.autocomplete = "off"; // what the browser would put back by itself is older than the draft
  const saveDraft = form.querySelector('button[value="save-draft"]');
  if (saveDraft) saveDraft.textContent = page.sync === "1" ? "Save the draft in my account" : "Save the draft on this device";
  showCategoryDetails(form);
  countCharacters(form, data.limits);

  // --- the check
  const policies = policyList(page.policiesUrl);
  const findings = createFindings(form, policies);
  const client = createClient({ workerUrl: page.workerUrl, workerImports: page.workerImports.split(" ").filter(Boolean), manifestUrl: page.manifestUrl });
  let keeper = null;
  const changed = () => {
    textCheck.typed();
    keeper?.changed();
  };
  const csrfToken = form.elements.csrfmiddlewaretoken?.value ?? "";
  const photos = createPhotos(form, data.limits, { client, findings, policies, csrfToken }, changed, () => {
    firstTouch(); // a dropped or pasted photo gives no focus
    void loadPhotoModel();
  });
  const fields = () => textFields(form, data.categories, photos.altTexts());
  const textCheck = createTextCheck(client, findings, fields);
  const loadPhotoModel = async () => {
    const { resources = [] } = await client.load(PHOTO);
    await keepOffline(page, resources);
  };
  const firstTouch = () => {
    prefetch(page.runtimeUrl);
    void policies();
    photos.start();
    void textCheck.start(async ({ resources = [] }) => {
      await keepOffline(page, resources);
      // Nobody may want a photo: its model waits for a quiet moment, or for the first touch of the photos.
      if (!navigator.connection?.saveData) whenIdle(() => void loadPhotoModel());
    });
  };
  findings.clear("Your text is checked on this device while you write.");
  form.addEventListener("focusin", firstTouch, { once: true });
  if (form.contains(document.activeElement)) firstTouch();
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);

  const showConnection = () => {
    findings.offline(!navigator.onLine);
    if (!navigator.onLine) return;
    client.retry();
    textCheck.typed();
    photos.again();
  };
  addEventListener("online", showConnection);
  addEventListener("offline", showConnection);
  showConnection();

  // --- sending; listens before the draft is loaded, so that an early submit is caught too
  catchSubmit(form, { page, isShell, needed: data.needed, textCheck, photos, keeper: () => keeper });

  // --- the draft
  const owner = page.owner || (isShell ? await rememberedOwner() : "");
  const drafts = await openDrafts(owner ? { owner } : { owner: "nobody", indexedDB: null, channel: null });
  const sync = page.sync === "1" ? createSync({ url: page.draftsUrl, csrfToken }) : null;
  const asked = new URLSearchParams(location.search).get("draft") ?? "";
  const key = UUID.test(asked) ? asked : page.draftKey || crypto.randomUUID();
  const rejected = page.rejected === "1";
  keeper = createKeeper(
    drafts,
    sync,
    { key: rejected ? page.draftKey : key, baseEdits: Number(page.baseEdits) || 0, listing: page.listing, rejected },
    {
      collect: () => ({ fields: readFields(form), photos: photos.state() }),
      restore: (draft, parts) => {
        if (parts.photos) photos.restore(draft.photos);
        else photos.recall(draft.photos);
        if (parts.fields) writeFields(form, draft.fields);
        textCheck.typed();
      },
      keyChanged: (next) => useKey(form, next),
      wasTyped: () => wasTyped(form),
      hasPhotos: () => photos.count > 0,
    },
  );
  useKey(form, keeper.key);
  await keeper.start();
  // What was found before it was sent, or before the page was closed, is found again.
  if (rejected || (!page.listing && (wasTyped(form) || photos.count > 0))) firstTouch();
  if (!rejected && !page.listing && !asked) await offerLastDraft(drafts, keeper);
  form.dataset.ready = "1"; // for tests: everything above is in place
}

/** The list of what is wrong gets the focus, unless somebody is writing already; its links leave the address as it is. */
function showErrors(summary) {
  if (document.activeElement === document.body) summary?.focus();
  summary?.addEventListener("click", (event) => {
    const field = document.getElementById(event.target.closest("a")?.hash.slice(1) ?? "");
    if (!field) return;
    event.preventDefault();
    field.focus();
  });
}

/** The details of the chosen category, and no others. */
function showCategoryDetails(form) {
  const category = form.elements.category;
  const show = () => {
    for (const fieldset of form.querySelectorAll("fieldset[data-category]")) {
      fieldset.hidden = fieldset.dataset.category !== category.value;
    }
  };
  category?.addEventListener("change", show);
  show();
}

function countCharacters(form, limits) {
  for (const counter of form.querySelectorAll("[data-count-for]")) {
    const field = form.elements[counter.dataset.countFor];
    const most = limits[counter.dataset.countFor];
    const show = () => {
      // Code points, as the server counts; a pasted text may be over the limit and is then sent back, not cut.
      const length = [...field.value].length;
      counter.textContent = length > most ? `${length} / ${most}: ${length - most} too many` : `${length} / ${most}`;
      counter.classList.toggle("is-over", length > most);
    };
    field.removeAttribute("maxlength");
    field.addEventListener("input", show);
    form.addEventListener("change", show);
    show();
  }
}

/** @returns {() => Promise<Map<string, object>>} the market's rules by id; empty when they cannot be fetched */
function policyList(url) {
  let promise = null;
  return () => {
    promise ??= fetch(url, { credentials: "omit" })
      .then((response) => (response.ok ? response.json() : Promise.reject(new Error(response.statusText))))
      .then((rules) => new Map(rules.policies.map((policy) => [policy.id, policy])))
      .catch(() => {
        promise = null;
        return new Map();
      });
    return promise;
  };
}

/** The draft's key in the hidden field and the address, so that a reload finds it. */
function useKey(form, key) {
  form.elements.draft_key.value = key;
  const address = new URL(location.href);
  if (form.dataset.listing && !address.searchParams.has("draft") && key === form.dataset.draftKey) return;
  address.searchParams.delete("from");
  address.searchParams.delete("shell");
  address.searchParams.set("draft", key);
  history.replaceState(history.state, "", address);
}

async function offerLastDraft(drafts, keeper) {
  const [latest] = (await drafts.list()).filter((draft) => draft.key !== keeper.key && !draft.meta?.listing);
  if (!latest) return;
  const link = el("a", { href: `${location.pathname}?draft=${encodeURIComponent(latest.key)}` }, latest.title || "Untitled draft");
  keeper.note(el("p", {}, "You have an unfinished draft on this device: ", link, "."));
}

function catchSubmit(form, { page, isShell, needed, textCheck, photos, keeper }) {
  let state = "open"; // → "preparing" → "released" (our own, prepared submit) → "sent"
  const message = el("p.notice", { role: "alert", hidden: true, id: "send-note" });
  const progress = el("p.small.muted", { role: "status", id: "send-progress" });
  form.querySelector("#submit-listing")?.parentElement.before(message, progress);
  let lacksPhotos = false; // what is told is about photos that have not arrived
  const tell = (text) => {
    message.textContent = text;
    message.hidden = text === "";
    lacksPhotos = false;
  };
  form.addEventListener("photos-arrived", () => lacksPhotos && tell("All photos have arrived. Press the button again to go on."));

  form.addEventListener("submit", (event) => {
    if (state === "released") {
      state = "sent";
      setTimeout(() => state === "sent" && reopen(), REOPEN_AFTER_MS); // stopped by hand, or a very slow line
      return;
    }
    event.preventDefault();
    if (state !== "open") return; // pressed twice
    if (event.submitter?.value === "save-draft") void keepDraft(keeper());
    else void prepare(event.submitter);
  });

  async function prepare(submitter) {
    state = "preparing";
    tell("");
    submitter?.setAttribute("aria-busy", "true");
    const online = isOnline();
    await limited(keeper()?.save(), SAVE_WAIT_MS);
    if (!(await online)) stay(OFFLINE_SUBMIT);
    // This copy of the page knows no account; the real one finds the draft by its key.
    else if (isShell) {
      remember(keeper().key, BACK);
      location.assign(`${page.shellUrl.split("?")[0]}?draft=${encodeURIComponent(keeper().key)}`);
    }
    else await send(submitter);
    submitter?.removeAttribute("aria-busy");
  }

  async function send(submitter) {
    // Before photos are sent for nothing; the server says the rest.
    const missing = [...form.elements].filter((field) => field.name in needed && isAsked(field) && field.value.trim() === "");
    for (const field of missing) showMissing(field, needed[field.name]);
    if (missing.length > 0) {
      missing[0].focus();
      return stay(`Not sent yet. ${missing.map((field) => needed[field.name]).join(" ")}`);
    }
    let verdict = null;
    remember(form.elements.draft_key.value);
    do {
      const problem = await photos.sendAll((text) => (progress.textContent = text));
      progress.textContent = "";
      if (problem) {
        stay(problem);
        lacksPhotos = true;
        return;
      }
      await limited(keeper()?.save(), SAVE_WAIT_MS); // which photo became which on the server, should the form come back
      // Last, for it must be of the text that goes: the merchant may have written on while photos were sent.
      verdict = await textCheck.forSubmit().catch(() => null);
    } while (!photos.areSent()); // one more was added meanwhile
    form.elements.claim.value = verdict ? JSON.stringify(verdict) : "";
    form.elements.photo_claims.value = JSON.stringify(photos.claims());
    keeper()?.close();
    remember("");
    state = "released";
    form.requestSubmit(submitter ?? undefined);
  }

  function stay(text) {
    remember("");
    tell(text);
    state = "open";
  }

  /** Left in the middle of sending, by a reload for instance: it must not look as if it had been sent. */
  const left = remembered();
  if (page.draftKey && left.key === page.draftKey) {
    tell(NOT_SENT[left.how]);
    remember("");
    form.querySelector("#submit-listing")?.focus(); // what is said stands above it
  }

  function reopen() {
    state = "open";
    keeper()?.reopen();
  }
  // Back from the next page: the form is usable again.
  addEventListener("pageshow", (event) => event.persisted && reopen());
}

/** Details of another category than the chosen one are not. */
const isAsked = (field) => !field.closest("fieldset[hidden]");

/** Beside the field, as the server would say it, until something is written there. */
function showMissing(field, text) {
  const place = document.getElementById(`error-${field.name}`);
  place.textContent = text;
  field.setAttribute("aria-invalid", "true");
  const box = field.closest(".field");
  box.classList.add("field--error");
  field.addEventListener("input", () => {
    place.textContent = "";
    field.removeAttribute("aria-invalid");
    box.classList.remove("field--error");
  }, { once: true });
}

function remember(key, how = UNDER_WAY) {
  try {
    for (const each of [UNDER_WAY, BACK]) sessionStorage.removeItem(each);
    if (key) sessionStorage.setItem(how, key);
  } catch {
    // A browser that keeps nothing: then nothing is said after a reload.
  }
}

/** @returns {{how?: string, key?: string}} */
function remembered() {
  try {
    const how = [UNDER_WAY, BACK].find((each) => sessionStorage.getItem(each));
    return how ? { how, key: sessionStorage.getItem(how) } : {};
  } catch {
    return {};
  }
}

/** False only when the site cannot be reached at all; a slow answer counts as reached. */
async function isOnline() {
  if (!navigator.onLine) return false;
  try {
    await limited(fetch("/healthz", { method: "HEAD", cache: "no-store", credentials: "omit" }), PROBE_WAIT_MS);
    return true;
  } catch {
    return false;
  }
}

async function keepDraft(keeper) {
  if (!keeper) return;
  keeper.changed();
  await keeper.save();
  await keeper.syncNow();
}

function whenIdle(work) {
  if (typeof requestIdleCallback === "function") requestIdleCallback(work, { timeout: 5000 });
  else setTimeout(work, 500);
}

function limited(promise, milliseconds) {
  return Promise.race([promise, new Promise((resolve) => setTimeout(resolve, milliseconds))]);
}
