// Which files become photos, and what is said about the others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { notPrepared, sortFiles, withKinds } from "../../static/js/pages/sell/photo_rules.js";

const LIMITS = { photos: 8, photo_bytes: 15 * 1024 * 1024, types: ["image/jpeg", "image/png", "image/webp", "image/avif", "image/heic", "image/heif"] };
const KINDS = "JPEG, PNG, WebP, AVIF or HEIC";
const chosen = (name, kind = "image/jpeg", size = 1000) => ({ file: { name, size }, kind });
const names = (accepted) => accepted.map(({ file }) => file.name);

test("photos of every kind are taken", () => {
  const { accepted, problems } = sortFiles([chosen("a.jpg"), chosen("b.heic", "image/heic"), chosen("c.gif", "image/gif")], 1, LIMITS);
  assert.deepEqual(names(accepted), ["a.jpg", "b.heic", "c.gif"]);
  assert.deepEqual(problems, []);
});

test("of thirty at once the first eight are taken, and that is said", () => {
  const thirty = Array.from({ length: 30 }, (_, number) => chosen(`${number}.jpg`));
  const { accepted, problems } = sortFiles(thirty, 0, LIMITS);
  assert.deepEqual(names(accepted), ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg", "7.jpg"]);
  assert.deepEqual(problems, ["A listing has at most 8 photos: the first 8 were taken, 22 were left out."]);
  assert.deepEqual(sortFiles([chosen("x.jpg")], 8, LIMITS).problems, ["A listing has at most 8 photos: one was left out."]);
});

test("a file that is no photo takes no place from the others", () => {
  const { accepted, problems } = sortFiles([chosen("notes.jpg", ""), ...Array.from({ length: 8 }, (_, number) => chosen(`${number}.jpg`))], 0, LIMITS);
  assert.equal(accepted.length, 8);
  assert.equal(problems.length, 1);
});

test("each refused file is named with its reason", () => {
  const { accepted, problems } = sortFiles(
    [
      chosen("notes.txt", ""),
      chosen("notes.jpg", ""),
      chosen("drawing.svg", "image/svg+xml"),
      chosen("huge.jpg", "image/jpeg", 500 * 1024 * 1024),
      chosen("empty.jpg", "", 0),
      chosen("folder", null, 4096),
    ],
    0,
    LIMITS,
  );
  assert.equal(accepted.length, 0);
  assert.deepEqual(problems, [
    `“notes.txt” cannot be used. Choose a photo in ${KINDS}.`,
    `“notes.jpg” is not a ${KINDS} photo, whatever its name says.`,
    `“drawing.svg” is a drawing (SVG). Choose a photo in ${KINDS}.`,
    "“huge.jpg” is too big: 500 MB. Choose a file of at most 100 MB.",
    "“empty.jpg” is empty.",
    "“folder” cannot be read. Choose the file itself, not its folder.",
  ]);
});

test("the kind is told by the first bytes, not by the name or the type", async () => {
  const text = new File(["hello"], "photo.jpg", { type: "image/jpeg" });
  const jpeg = new File([Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)], "notes.txt", { type: "text/plain" });
  const gone = { name: "gone.jpg", size: 5, slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) };
  assert.deepEqual((await withKinds([text, jpeg, gone])).map(({ kind }) => kind), ["", "image/jpeg", null]);
});

test("what this browser cannot open is kept when the server may be able to, and said", () => {
  const heic = { name: "a.heic", size: 1000, kind: "image/heic" };
  assert.deepEqual(notPrepared(heic, "cannot-open", LIMITS), { keep: true, text: "This browser cannot show HEIC. It is checked after you submit." });
  assert.match(notPrepared(heic, "", LIMITS).text, /could not be opened here just now. It is checked after you submit/, "a device too slow is no browser that cannot");
  assert.equal(notPrepared(heic, "cannot-open", { ...LIMITS, types: ["image/jpeg"] }).keep, false);
  assert.match(notPrepared({ ...heic, size: 30 * 1024 * 1024 }, "cannot-open", LIMITS).text, /too big to be sent as it is: 30 MB/);
});

test("what is damaged is refused with the reason", () => {
  const jpeg = { name: "a.jpg", size: 1000, kind: "image/jpeg" };
  for (const [code, text] of [["cut-off", /damaged or was cut off/], ["too-many-pixels", /too many pixels/], ["cannot-open", /cannot be opened as a photo/]]) {
    const answer = notPrepared(jpeg, code, LIMITS);
    assert.equal(answer.keep, false);
    assert.match(answer.text, text);
  }
});

test("where the worker itself cannot run, a photo is sent as it is", () => {
  assert.deepEqual(notPrepared({ name: "a.jpg", size: 1000, kind: "image/jpeg" }, "", LIMITS), { keep: true, text: "" });
});
