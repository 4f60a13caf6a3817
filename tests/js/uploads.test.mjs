// Photos one by one over HTTP: progress, retry, refusals, and going on where it stopped.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { createUploads } from "../../static/js/pages/sell/uploads.js";
import { createTransport, read } from "../../static/js/pages/sell/upload_transport.js";
import { NodeXHR, startServer } from "./upload_server.mjs";

let server;
let waits;
let seen; // [photo id, state, share], as the page hears of it

beforeEach(async () => {
  server = await startServer();
  waits = [];
  seen = [];
});
afterEach(() => server.close());

const photo = (id, text = `photo ${id} `.repeat(4000)) => ({ id, name: `${id}.jpg`, blob: new Blob([text]), ready: true });

function uploads(options = {}) {
  return createUploads({
    send: createTransport({ url: server.url, csrfToken: "token", XHR: NodeXHR }),
    changed: ({ id, upload }) => seen.push([id, upload?.state ?? "sent", upload?.share ?? 1]),
    wait: async (milliseconds) => void waits.push(milliseconds),
    ...options,
  });
}

const states = (id) => seen.filter(([photoId]) => photoId === id).map(([, state]) => state).filter((state, index, all) => state !== all[index - 1]);

test("why a server could not take a photo for now is tried again, and is what the merchant reads in the end", async () => {
  const photos = [photo("a")];
  const busy = read(503, JSON.stringify({ error: { message: "The disk of the market is full." } }));
  const answer = await uploads({ send: async () => busy }).sendAll(() => photos);
  assert.deepEqual(answer, { status: "lost", message: "The disk of the market is full." });
  assert.equal(waits.length, 4);
  assert.deepEqual(read(503, "<h1>Bad gateway</h1>"), { status: "lost" });
});

test("photos go one after the other, with the token, and their progress is told", async () => {
  const photos = [photo("a"), photo("b")];
  assert.deepEqual(await uploads().sendAll(() => photos), { status: "sent" });
  assert.deepEqual(photos.map(({ stored }) => stored.id), ["1", "2"]);
  assert.deepEqual(server.requests, ["token", "token"]);
  const shares = seen.filter(([id, state]) => id === "a" && state === "sending").map(([, , share]) => share);
  assert.ok(shares.length > 5, `${shares.length} steps`);
  assert.deepEqual(shares, [...shares].sort((one, other) => one - other));
  assert.ok(seen.findIndex(([id]) => id === "b") > seen.findLastIndex(([id]) => id === "a"), "never two at once");
});

test("a connection that drops at 90 % is tried again by itself and leaves one photo on the server", async () => {
  server.faults.push({ dropAt: 0.9 }, { dropAt: 0.9 });
  const photos = [photo("a")];
  assert.equal((await uploads().sendAll(() => photos)).status, "sent");
  assert.deepEqual(waits, [1000, 2000]);
  assert.deepEqual(states("a"), ["sending", "again", "sending", "again", "sending", "sent"]);
  assert.equal(server.stored.size, 1);
});

test("an answer that is lost after the photo was stored makes no second photo", async () => {
  server.faults.push({ loseAnswer: true });
  const photos = [photo("a")];
  assert.equal((await uploads().sendAll(() => photos)).status, "sent");
  assert.deepEqual([server.requests.length, server.stored.size, photos[0].stored.id], [2, 1, "1"]);
});

test("a line that stays dead stops the sending; pressing again goes on with what is missing", async () => {
  const photos = [photo("a"), photo("b"), photo("c")];
  server.faults.push(null, ...Array(5).fill({ dropAt: 0.5 }));
  const sender = uploads();
  const stopped = await sender.sendAll(() => photos);
  assert.equal(stopped.status, "lost");
  assert.deepEqual(waits, [1000, 2000, 4000, 8000]);
  assert.deepEqual(photos.map(({ stored }) => Boolean(stored)), [true, false, false]);
  assert.equal(photos[1].upload.state, "stopped");
  assert.equal(server.requests.length, 6, "the third is not tried on a dead line");
  assert.equal((await sender.sendAll(() => photos)).status, "sent");
  assert.equal(server.requests.length, 8, "the first is not sent again");
  assert.equal(server.stored.size, 3);
});

test("a photo that the server refuses says why, is not tried again by itself, and the rest goes on", async () => {
  server.faults.push({ status: 400, message: "The photo is damaged." });
  const photos = [photo("a"), photo("b")];
  assert.equal((await uploads().sendAll(() => photos)).status, "refused");
  assert.deepEqual([photos[0].upload.state, photos[0].upload.message], ["refused", "The photo is damaged."]);
  assert.equal(photos[1].stored.id, "1");
  assert.deepEqual(waits, []);
});

test("a refused photo can be sent again by hand", async () => {
  server.faults.push({ status: 413, message: "Too big." });
  const photos = [photo("a")];
  const sender = uploads();
  await sender.sendAll(() => photos);
  assert.equal(await sender.sendOne(photos[0]), "stored");
  assert.equal(photos[0].upload, null);
});

test("who is signed out is told at once, and nothing is lost", async () => {
  server.faults.push({ status: 401, message: "Sign in first." });
  const photos = [photo("a"), photo("b")];
  assert.deepEqual(await uploads().sendAll(() => photos), { status: "ended", message: "Sign in first." });
  assert.equal(server.requests.length, 1);
  assert.equal(photos.length, 2);
});

test("an overloaded server (5xx, a proxy's page) is tried again", async () => {
  server.faults.push({ status: 502, page: true }, { status: 503, message: "busy" });
  const photos = [photo("a")];
  assert.equal((await uploads().sendAll(() => photos)).status, "sent");
  assert.equal(waits.length, 2);
});

test("a photo that arrived otherwise than it was sent is sent again", async () => {
  const photos = [photo("a")];
  photos[0].sha256 = createHash("sha256").update(new Uint8Array(await photos[0].blob.arrayBuffer())).digest("hex");
  const send = createTransport({ url: server.url, csrfToken: "", XHR: NodeXHR });
  let first = true;
  const damaging = (one, ...rest) => {
    const sent = first ? { ...one, blob: new Blob(["other bytes"]) } : one;
    first = false;
    return send(sent, ...rest);
  };
  assert.equal((await uploads({ send: damaging }).sendAll(() => photos)).status, "sent");
  assert.equal(photos[0].stored.id, "2");
});

test("a photo taken out while it is sent is let go, and the others go on", async () => {
  let photos = [photo("a", "x".repeat(400_000)), photo("b")];
  const [removed] = photos;
  const sender = uploads({
    changed: ({ id, upload }) => {
      if (id !== "a" || !(upload?.share > 0.3) || photos.length === 1) return;
      photos = photos.slice(1);
      sender.drop(removed);
    },
  });
  assert.equal((await sender.sendAll(() => photos)).status, "sent");
  assert.equal(removed.stored, undefined);
  assert.equal(server.stored.size, 1);
});

test("a photo added while others are sent is sent too", async () => {
  const photos = [photo("a")];
  const sender = uploads({ changed: ({ upload }) => upload === null && photos.length === 1 && photos.push(photo("b")) });
  assert.equal((await sender.sendAll(() => photos)).status, "sent");
  assert.equal(server.stored.size, 2);
});

test("what the server has already is not sent; after an hour it is, for the server may have let it go", async () => {
  let time = 0;
  const photos = [{ id: "s", server: "9" }, photo("a")];
  const sender = uploads({ now: () => time });
  await sender.sendAll(() => photos);
  await sender.sendAll(() => photos);
  assert.equal(server.requests.length, 1);
  time = 2 * 60 * 60 * 1000;
  await sender.sendAll(() => photos);
  assert.equal(server.requests.length, 2);
  assert.equal(server.stored.size, 1);
});

test("a server that is not there is a lost connection", async () => {
  await server.close();
  const photos = [photo("a")];
  assert.equal((await uploads().sendAll(() => photos)).status, "lost");
});

test("every answer has a meaning, and a refusal always a sentence", () => {
  assert.equal(read(201, '{"id": 0}').status, "stored");
  assert.equal(read(200, '{"id": 3}').status, "stored");
  assert.equal(read(201, "not json").status, "lost");
  assert.equal(read(404, "<h1>").status, "refused");
  assert.match(read(404, "<h1>").message, /could not take this photo/);
  assert.equal(read(408, "").status, "lost");
  for (const status of [401, 403, 429]) assert.equal(read(status, "").status, "ended");
  for (const status of [0, 500, 503]) assert.equal(read(status, "").status, "lost");
});
