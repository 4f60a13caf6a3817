/**
 * Keeps the form as a draft while the merchant writes, brings it back, and says where it is kept.
 * Nothing is ever overwritten without being asked: a draft that changed elsewhere makes this page write to a copy.
 */
import { button, clock, el } from "./dom.js";

const SAVE_AFTER_MS = 500;
const SYNC_AFTER_MS = 2000;
const AGAIN_AFTER_MS = 3000; // when the device had no room

/**
 * @param {object} drafts from drafts.js
 * @param {object|null} sync from draft_sync.js, when the merchant switched it on
 * @param {{key: string, baseEdits: number, listing: string, rejected: boolean}} page
 * @param {{collect: () => {fields: object, photos: Array}, restore: (draft: object, parts: {fields: boolean,
 *   photos: boolean}) => void, keyChanged: (key: string) => void, wasTyped: () => boolean, hasPhotos: () => boolean}} form
 */
export function createKeeper(drafts, sync, page, form) {
  const status = document.getElementById("draft-status");
  const notes = el("div", { id: "draft-notes", role: "status" });
  status.after(notes);

  let key = page.key;
  let version = 0; // what this tab last loaded or saved
  let account = null; // {version} of the account's copy, once known
  let unsaved = false;
  let closed = false;
  let saveTimer = null;
  let syncTimer = null;
  let chain = Promise.resolve();

  async function start() {
    const found = await drafts.load(key);
    if (found) await bringBack(found);
    else if (sync && !page.rejected) await bringFromAccount();
    else if (form.wasTyped() || page.rejected) changed();
    if (status.dataset.said === undefined) sayIdle();
    drafts.watch(() => key, hearOther);
  }

  async function bringBack(found) {
    const meta = found.meta ?? {};
    if (meta.accountVersion) account = { version: meta.accountVersion };
    if (page.rejected) {
      // The server has just shown what was sent; from the device come photos it did not keep, and what is known of others.
      version = found.version;
      form.restore(found, { fields: false, photos: !form.hasPhotos() && found.photos.length > 0 });
      changed();
    } else if (form.wasTyped()) {
      fork("Your earlier draft is kept beside this one.", key);
    } else if (page.listing && meta.baseEdits !== page.baseEdits) {
      askAboutOldEdit(found);
    } else {
      useDraft(found);
      if (sync) await compareWithAccount(found);
    }
  }

  function useDraft(found) {
    version = found.version;
    form.restore(found, { fields: true, photos: true });
    say(`Saved on this device ${clock(found.savedAt)}.`);
    if (found.missing > 0) note(el("p", {}, `${photos(found.missing)} of this draft could not be kept on this device. Choose ${found.missing === 1 ? "it" : "them"} again before you submit.`));
    if (page.listing) {
      note(
        el("p", {}, "Your unsent changes were brought back."),
        button("Drop them", () => discard(), { class: "button--small button--quiet" }),
      );
    }
  }

  function askAboutOldEdit(found) {
    version = found.version;
    note(
      el("p", {}, `On this device there are changes from ${clock(found.savedAt)}, made to an earlier version of this listing.`),
      choices(
        button("Use them", () => {
          clearNotes();
          form.restore(found, { fields: true, photos: false });
          changed();
        }),
        button("Drop them", () => discard(), { class: "button--quiet" }),
      ),
    );
  }

  async function discard() {
    closed = true;
    await drafts.remove(key);
    location.reload();
  }

  // --- saving on the device

  function changed() {
    if (closed) return;
    unsaved = true;
    saveTimer ??= setTimeout(save, SAVE_AFTER_MS); // not put off by the next change: somebody may write without a pause
  }

  /** Saves run one after the other, so that each builds on the version before it. */
  function save() {
    clearTimeout(saveTimer);
    saveTimer = null;
    chain = chain.then(saveNow, saveNow);
    return chain;
  }

  async function saveNow() {
    if (!unsaved || closed) return;
    unsaved = false;
    const content = { ...form.collect(), meta: { baseEdits: page.baseEdits, listing: page.listing } };
    let answer = await drafts.save(key, content, version);
    if (answer.status === "conflict") {
      fork("This draft was also changed in another tab. What you write here is now a draft of its own; nothing was overwritten.", key);
      answer = await drafts.save(key, content, version);
    }
    if (answer.status === "saved") {
      version = answer.version;
      sayNow(answer);
      if (sync) {
        clearTimeout(syncTimer);
        syncTimer = setTimeout(syncNow, SYNC_AFTER_MS);
      }
    } else {
      unsaved = true;
      saveTimer ??= setTimeout(save, AGAIN_AFTER_MS); // room that was freed takes a moment to be there
      say(
        answer.reason === "full"
          ? "This device is full: the draft could not be saved. Your text lasts until you close this page."
          : "The draft could not be saved on this device. Your text lasts until you close this page.",
      );
    }
  }

  function sayNow({ savedAt, lostPhotos, removed }) {
    if (!drafts.durable) return sayIdle();
    let text = `Saved on this device ${clock(savedAt)}.`;
    if (lostPhotos.length > 0) text += ` The text is safe; ${photos(lostPhotos.length)} could not be kept: the device has no room. Submit before you close this page, or choose ${lostPhotos.length === 1 ? "it" : "them"} again later.`;
    if (removed.length > 0) text += ` To make room, your oldest draft (“${removed[0] || "untitled"}”) was removed.`;
    say(text);
  }

  function sayIdle() {
    say(
      drafts.durable
        ? "Your draft is saved on this device while you write."
        : "This browser keeps no drafts. Your text lasts until you close this page.",
    );
  }

  /** Go on under a new key; the draft under the old one stays as it is. */
  function fork(message, otherKey) {
    key = crypto.randomUUID();
    version = 0;
    account = null;
    form.keyChanged(key);
    unsaved = true;
    note(
      el("p", {}, message),
      el("a", { href: `${location.pathname}?draft=${encodeURIComponent(otherKey)}`, target: "_blank" }, "Show the other one"),
    );
    changed();
  }

  function hearOther({ kind, version: theirs }) {
    if (closed) return;
    if (kind === "open") {
      note(el("p", {}, "This draft is also open in another tab. Write in one of them; if both change, each is kept."));
    } else if (kind === "removed") {
      note(el("p", {}, "This draft was submitted or deleted in another tab."));
    } else if (kind === "saved" && theirs > version && !unsaved) {
      note(
        el("p", {}, "This draft has just changed in another tab."),
        button("Show the newest", () => location.reload(), { class: "button--small button--quiet" }),
      );
    }
  }

  // --- the account, when the merchant switched it on

  async function bringFromAccount() {
    const answer = await sync.pull(key);
    if (answer.status !== "found") return;
    account = { version: answer.current.version };
    if (form.wasTyped()) return changed();
    form.restore({ fields: answer.current.data, photos: [] }, { fields: true, photos: false });
    say("Brought back from your account.");
    changed();
  }

  async function compareWithAccount(found) {
    const answer = await sync.pull(key);
    if (answer.status === "none" && !account) return changed();
    if (answer.status !== "found") return;
    if (sameText(answer.current.data, found.fields)) {
      account = { version: answer.current.version };
    } else if (account?.version === answer.current.version) {
      changed(); // only this device went on
    } else {
      askWhich(answer.current);
    }
  }

  async function syncNow() {
    if (closed) return;
    const { fields } = form.collect();
    const answer = await sync.push(key, account?.version ?? 0, fields);
    if (answer.status === "saved") {
      account = { version: answer.version };
      await drafts.note(key, { accountVersion: answer.version });
      if (!unsaved) say(`Saved on this device and in your account ${clock(Date.now())}.`);
    } else if (answer.status === "conflict") {
      askWhich(answer.current);
    } else {
      const why = answer.status === "offline" ? "you are offline" : answer.message;
      say(`Saved on this device. Not in your account yet: ${why}`.replace(/([^.])$/, "$1."));
    }
  }

  function askWhich(current) {
    const mine = form.collect().fields;
    note(
      el("p", {}, "Your account holds another version of this draft. Which one do you want to go on with?"),
      versionCard("On this device", mine, "Use this one", () => {
        account = { version: current.version };
        clearNotes();
        unsaved = true;
        void save().then(syncNow);
      }),
      versionCard(`In your account, saved ${clock(Date.parse(current.updated_at))}`, current.data, "Use the account’s", async () => {
        clearNotes();
        await drafts.save(crypto.randomUUID(), { ...form.collect(), meta: { copyOf: key } }, 0);
        account = { version: current.version };
        form.restore({ fields: current.data, photos: [] }, { fields: true, photos: false });
        changed();
        await save();
        note(el("p", {}, "The version of this device is kept as a draft of its own."));
      }),
    );
  }

  function versionCard(label, fields, action, onChoose) {
    const text = `${fields.title || "Untitled"}: ${fields.description ?? ""}`;
    return el(
      "div.draft-choice",
      {},
      el("strong", {}, label),
      el("p", {}, text.length > 240 ? `${text.slice(0, 240)}…` : text),
      button(action, onChoose, { class: "button--small" }),
    );
  }

  // --- words

  function say(text) {
    status.dataset.said = "1";
    status.textContent = text;
  }
  function note(...nodes) {
    notes.replaceChildren(el("div.draft-note", {}, ...nodes));
  }
  function clearNotes() {
    notes.replaceChildren();
  }

  addEventListener("visibilitychange", () => document.visibilityState === "hidden" && void save());
  addEventListener("pagehide", () => void save());

  return {
    start,
    changed,
    save,
    note,
    syncNow: () => (sync ? syncNow() : Promise.resolve()),
    /** Before the form is sent: nothing may be saved under this key afterwards by this page. */
    close: () => {
      closed = true;
      clearTimeout(saveTimer);
      saveTimer = null;
      clearTimeout(syncTimer);
    },
    reopen: () => {
      closed = false;
    },
    get key() {
      return key;
    },
  };
}

const choices = (...buttons) => el("div.draft-choice", {}, ...buttons);
const photos = (count) => (count === 1 ? "one photo" : `${count} photos`);

function sameText(a, b) {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  names.delete("photo_order");
  return [...names].every((name) => String(a[name] ?? "") === String(b[name] ?? ""));
}
