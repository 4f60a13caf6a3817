/** My listings: drafts of this device, and listings whose check is still running. */
import { openDrafts } from "../drafts.js";
import { createSync } from "../draft_sync.js";
import { button, clock, el } from "./sell/dom.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

const section = document.getElementById("device-drafts");
if (section?.dataset.owner) void showDrafts(section);
for (const row of document.querySelectorAll('[data-status="checking"][data-status-url]')) void follow(row);

async function showDrafts(section) {
  const drafts = await openDrafts({ owner: section.dataset.owner });
  await forgetSubmitted(drafts);
  const list = document.getElementById("device-drafts-list");

  async function refresh() {
    const found = await drafts.list();
    list.replaceChildren(...found.map(row));
    section.hidden = found.length === 0;
  }

  function row({ key, title, savedAt, photos, meta }) {
    const name = title || "Untitled draft";
    const about = [`Saved ${clock(savedAt)}`];
    if (photos > 0) about.push(photos === 1 ? "1 photo" : `${photos} photos`);
    if (meta?.listing) about.push("changes to a listing");
    const href = meta?.listing
      ? `/sell/${encodeURIComponent(meta.listing)}/edit/?draft=${encodeURIComponent(key)}`
      : `${section.dataset.sellUrl}?draft=${encodeURIComponent(key)}`;
    return el(
      "li.row.row--between",
      { "data-draft": key },
      el("span", {}, el("a", { href }, name), el("span.muted.small", {}, ` ${about.join(" · ")}`)),
      button("Delete", () => remove(key, name), { class: "button--small button--danger", "aria-label": `Delete the draft ${name}` }),
    );
  }

  async function remove(key, name) {
    if (!confirm(`Delete the draft “${name}” from this device?`)) return;
    await drafts.remove(key);
    if (section.dataset.sync === "1") await accountDrafts(section).remove(key);
    await refresh();
  }

  await refresh();
}

function accountDrafts(section) {
  const csrfToken = document.querySelector('input[name="csrfmiddlewaretoken"]')?.value ?? "";
  return createSync({ url: section.dataset.draftsUrl, csrfToken });
}

/** ?submitted=<key>: the server has the listing, so the device's draft has done its work. */
async function forgetSubmitted(drafts) {
  const address = new URL(location.href);
  const key = address.searchParams.get("submitted");
  if (!key) return;
  await drafts.remove(key);
  address.searchParams.delete("submitted");
  history.replaceState(history.state, "", address);
}

/** Ask until the check has come to an end, less and less often; then show the row as the server draws it. */
async function follow(row) {
  let wait = FIRST_WAIT_MS;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 1.5, LONGEST_WAIT_MS);
    if (document.hidden) continue;
    const answer = await status(row.dataset.statusUrl);
    if (answer && answer.status !== "checking") break;
  }
  const page = await freshPage();
  const tabs = page?.querySelector(".status-tabs");
  if (!tabs) return;
  const fresh = page.querySelector(`[data-listing="${CSS.escape(row.dataset.listing)}"]`);
  document.querySelector(".status-tabs").replaceWith(tabs);
  if (fresh) row.replaceWith(fresh);
  else row.remove(); // the page shows one status, and it has left that
  if (!document.querySelector('[data-status="checking"]')) document.querySelector('.messages [data-about="sent"]')?.remove();
  if (!fresh) return;
  fresh.querySelector("[data-role=status]")?.setAttribute("role", "status");
}

async function status(url) {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** This page as the server draws it now, its nodes ready to be used here; null when it cannot be had. */
async function freshPage() {
  try {
    const response = await fetch(location.href);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return document.adoptNode(page.body);
  } catch {
    return null;
  }
}
