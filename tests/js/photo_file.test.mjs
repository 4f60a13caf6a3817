// What a photo file is and carries, by its bytes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { carriesMore, isCutOff, kindOf, sizeOf } from "../../static/js/ml/photo_file.js";

const ascii = (text) => [...text].map((char) => char.charCodeAt(0));
const uint16 = (value) => [value >> 8, value & 255];
const uint32 = (value) => [...uint16(value >>> 16), ...uint16(value & 0xffff)];
const little = (value) => uint32(value).reverse();
const bytes = (...parts) => Uint8Array.from(parts.flat());

const segment = (marker, data) => [0xff, marker, ...uint16(data.length + 2), ...data];
const JFIF = segment(0xe0, [...ascii("JFIF\0"), 1, 1, 0, 0, 1, 0, 1, 0, 0]);
const FRAME = segment(0xc2, [8, ...uint16(3000), ...uint16(4000), 3]);
const SCAN = [...segment(0xda, [1, 2, 3]), 7, 7, 7];
const END = [0xff, 0xd9];
const jpeg = (...more) => bytes(0xff, 0xd8, JFIF, ...more, FRAME, SCAN, END);

const chunk = (name, data) => [...uint32(data.length), ...ascii(name), ...data, 0, 0, 0, 0];
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const HEADER = chunk("IHDR", [...uint32(640), ...uint32(480), 8, 2, 0, 0, 0]);
const png = (...more) => bytes(PNG, HEADER, ...more, chunk("IDAT", [1, 2, 3]), chunk("IEND", []));

function webp(...chunks) {
  const body = chunks.flatMap(([name, data]) => [...ascii(name), ...little(data.length), ...data, ...(data.length % 2 ? [0] : [])]);
  return bytes(ascii("RIFF"), little(body.length + 4), ascii("WEBP"), body);
}
const EXTENDED = ["VP8X", [0, 0, 0, 0, 0x7f, 0x02, 0, 0xdf, 0x01, 0]];

test("the kind is told by the first bytes", () => {
  assert.equal(kindOf(jpeg()), "image/jpeg");
  assert.equal(kindOf(png()), "image/png");
  assert.equal(kindOf(webp(EXTENDED)), "image/webp");
  assert.equal(kindOf(bytes(ascii("GIF89a"))), "image/gif");
  assert.equal(kindOf(bytes(uint32(24), ascii("ftypheic"), uint32(0), ascii("mif1heic"))), "image/heic");
  assert.equal(kindOf(bytes(uint32(24), ascii("ftypmif1"), uint32(0), ascii("mif1heic"))), "image/heic");
  assert.equal(kindOf(bytes(uint32(24), ascii("ftypavif"), uint32(0), ascii("avifmif1"))), "image/avif");
  assert.equal(kindOf(bytes(uint32(28), ascii("ftypmif1"), uint32(0), ascii("mif1avif"))), "image/avif");
  assert.equal(kindOf(bytes(ascii('<?xml version="1.0"?>\n<SVG xmlns="x">'))), "image/svg+xml");
  for (const other of [[], [0xff], ascii("hello"), ascii("%PDF-1.7"), [...uint32(24), ...ascii("ftypisom")]]) assert.equal(kindOf(bytes(other)), "");
});

test("the size is read from the header, and a header that is cut off says nothing", () => {
  assert.deepEqual(sizeOf(jpeg(), "image/jpeg"), { width: 4000, height: 3000 });
  assert.deepEqual(sizeOf(png(), "image/png"), { width: 640, height: 480 });
  assert.deepEqual(sizeOf(webp(EXTENDED), "image/webp"), { width: 640, height: 480 });
  const bomb = bytes(PNG, chunk("IHDR", [...uint32(100000), ...uint32(100000), 8, 2, 0, 0, 0]));
  assert.deepEqual(sizeOf(bomb, "image/png"), { width: 100000, height: 100000 });
  for (const [file, kind] of [[jpeg(), "image/jpeg"], [png(), "image/png"], [webp(EXTENDED), "image/webp"]]) {
    for (let length = 0; length < 20; length += 1) assert.equal(sizeOf(file.slice(0, length), kind), null, `${kind} ${length}`);
  }
});

test("a file whose end is missing is cut off, whatever a decoder makes of it", () => {
  for (const [file, kind] of [[jpeg(), "image/jpeg"], [png(), "image/png"], [webp(EXTENDED), "image/webp"]]) {
    assert.equal(isCutOff(file, kind), false, kind);
    assert.equal(isCutOff(file.slice(0, Math.ceil(file.length * 0.9)), kind), true, kind);
  }
});

test("a preview inside EXIF does not make a cut-off photo whole, nor does it spoil a whole one", () => {
  const exif = segment(0xe1, [...ascii("Exif\0\0"), 0xff, 0xd8, 0xff, 0xd9]);
  assert.equal(isCutOff(jpeg(exif), "image/jpeg"), false);
  const whole = jpeg(exif);
  assert.equal(isCutOff(whole.slice(0, whole.length - 4), "image/jpeg"), true);
});

test("a file with nothing but the picture carries no more", () => {
  const profile = segment(0xe2, [...ascii("ICC_PROFILE\0"), 1, 1, 9, 9]);
  assert.equal(carriesMore(jpeg(), "image/jpeg"), false);
  assert.equal(carriesMore(jpeg(profile, segment(0xee, ascii("Adobe\0dddddd"))), "image/jpeg"), false);
  assert.equal(carriesMore(png(chunk("sRGB", [0]), chunk("pHYs", [0, 0, 0, 1, 0, 0, 0, 1, 0])), "image/png"), false);
  assert.equal(carriesMore(webp(["VP8 ", [1, 2, 3]]), "image/webp"), false);
});

test("EXIF, XMP, comments, further frames and tails are found in every kind", () => {
  const more = [
    [jpeg(segment(0xe1, ascii("Exif\0\0GPS"))), "image/jpeg"],
    [jpeg(segment(0xe1, ascii("http://ns.adobe.com/xap/1.0/\0"))), "image/jpeg"],
    [jpeg(segment(0xed, ascii("Photoshop 3.0\0"))), "image/jpeg"],
    [jpeg(segment(0xfe, ascii("taken at home"))), "image/jpeg"],
    [jpeg(segment(0xe2, ascii("MPF\0"))), "image/jpeg"],
    [bytes([...jpeg()], ascii("a video behind the picture")), "image/jpeg"],
    [png(chunk("tEXt", ascii("Author\0me"))), "image/png"],
    [png(chunk("eXIf", [1])), "image/png"],
    [png(chunk("acTL", [0, 0, 0, 2, 0, 0, 0, 0])), "image/png"],
    [bytes([...png()], ascii("tail")), "image/png"],
    [webp(EXTENDED, ["VP8 ", [1, 2, 3]], ["EXIF", [1]]), "image/webp"],
    [webp(EXTENDED, ["ANIM", [1, 2, 3, 4, 5, 6]]), "image/webp"],
    [bytes(ascii("GIF89a")), "image/gif"],
  ];
  for (const [file, kind] of more) assert.equal(carriesMore(file, kind), true, kind);
});
