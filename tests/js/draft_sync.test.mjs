import assert from "node:assert/strict";
import { test } from "node:test";
import { createSync } from "../../static/js/draft_sync.js";

function syncWith(answer) {
  const asked = [];
  const fetcher = async (url, options) => {
    asked.push({ url, ...options });
    return answer();
  };
  return { asked, sync: createSync({ url: "/api/drafts/", csrfToken: "token", fetcher }) };
}

test("a save carries its base version and the CSRF token", async () => {
  const { asked, sync } = syncWith(() => Response.json({ key: "k", version: 4, data: {} }));
  assert.deepEqual(await sync.push("k", 3, { title: "A lamp" }), { status: "saved", version: 4 });
  assert.equal(asked[0].url, "/api/drafts/k");
  assert.equal(asked[0].method, "PUT");
  assert.equal(asked[0].headers["X-CSRFToken"], "token");
  assert.deepEqual(JSON.parse(asked[0].body), { base_version: 3, data: { title: "A lamp" } });
});

test("a conflict brings the account's version along", async () => {
  const current = { key: "k", version: 9, data: { title: "Theirs" }, updated_at: "2026-01-01T10:00:00Z" };
  const { sync } = syncWith(() => Response.json({ error: { code: "conflict", message: "…" }, current }, { status: 409 }));
  assert.deepEqual(await sync.push("k", 3, {}), { status: "conflict", current });
});

test("a refusal carries the account's own words; a dead line is offline", async () => {
  const refused = syncWith(() => Response.json({ error: { code: "too-big", message: "Too long." } }, { status: 413 }));
  assert.deepEqual(await refused.sync.push("k", 0, {}), { status: "failed", message: "Too long." });
  const dead = syncWith(() => Promise.reject(new TypeError("failed")));
  assert.deepEqual(await dead.sync.push("k", 0, {}), { status: "offline" });
  const page = syncWith(() => new Response("<h1>Oops</h1>", { status: 500 }));
  assert.equal((await page.sync.push("k", 0, {})).status, "failed");
});

test("a draft the account does not have is not an error", async () => {
  const { sync } = syncWith(() => Response.json({ error: { code: "not-found", message: "" } }, { status: 404 }));
  assert.deepEqual(await sync.pull("k"), { status: "none" });
  assert.deepEqual(await sync.remove("k"), { status: "saved" });
});
