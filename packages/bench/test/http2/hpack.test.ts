import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeHeaderBlock } from "../../src/http2/hpack-decoder.ts";
import { HeaderEncoder } from "../../src/http2/hpack-encoder.ts";
import { decodeHuffman } from "../../src/http2/huffman.ts";
import type { Header } from "../../src/http2/static-table.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

test("RFC 7541 appendix C.4 and C.6: Huffman strings", () => {
  const table = [
    ["f1e3 c2e5 f23a 6ba0 ab90 f4ff", "www.example.com"],
    ["a8eb 1064 9cbf", "no-cache"],
    ["25a8 49e9 5ba9 7d7f", "custom-key"],
    ["25a8 49e9 5bb8 e8b4 bf", "custom-value"],
    ["6402", "302"],
    ["aec3 771a 4b", "private"],
    ["d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3", "https://www.example.com"],
  ] as const;
  for (const [coded, text] of table) assert.equal(decodeHuffman(hex(coded)).toString(), text);
});

test("RFC 7541 §5.2: padding that is too long or not all ones is refused", () => {
  assert.throws(() => decodeHuffman(hex("6402 ff")), /padded/);
  assert.throws(() => decodeHuffman(hex("a8eb 1064 9cbe")), /padded/);
  assert.throws(() => decodeHuffman(hex("ffff ffff")), /its own end/);
});

test("RFC 7541 appendix C.2: single fields", () => {
  const table: readonly (readonly [string, Header])[] = [
    ["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", ["custom-key", "custom-header"]],
    ["040c 2f73 616d 706c 652f 7061 7468", [":path", "/sample/path"]],
    ["1008 7061 7373 776f 7264 0673 6563 7265 74", ["password", "secret"]],
    ["82", [":method", "GET"]],
  ];
  for (const [block, field] of table) assert.deepEqual(decodeHeaderBlock(hex(block)), [field]);
});

test("a block may begin by announcing the empty table, and not another", () => {
  assert.deepEqual(decodeHeaderBlock(hex("20 88")), [[":status", "200"]]);
  assert.throws(() => decodeHeaderBlock(hex("21 88")), /keeps no dynamic table/);
});

test("a block that refers to a dynamic table, or breaks off, is refused", () => {
  assert.throws(() => decodeHeaderBlock(hex("be")), /static table/);
  assert.throws(() => decodeHeaderBlock(hex("80")), /static table/);
  assert.throws(() => decodeHeaderBlock(hex("040c 2f73")), /ends within/);
  assert.throws(() => decodeHeaderBlock(hex("ff")), /ends after a whole field/);
  assert.throws(() => decodeHeaderBlock(hex("ff ff ff ff ff ff ff")), /number in a header block is small/);
});

test("without a table, what is encoded is what is decoded", () => {
  const anyHeader = fc.tuple(fc.stringMatching(/^[a-z-]{1,20}$/), fc.stringMatching(/^[ -~]{0,300}$/));
  fc.assert(
    fc.property(fc.array(anyHeader), (headers) => {
      const encoder = new HeaderEncoder();
      encoder.forgoTable();
      assert.deepEqual(decodeHeaderBlock(encoder.encode(headers)), headers);
      assert.deepEqual(decodeHeaderBlock(encoder.encode(headers)), headers);
    }),
  );
});

test("a field is sent in full once and by its index from then on", () => {
  const encoder = new HeaderEncoder();
  const headers: readonly Header[] = [
    [":method", "POST"],
    [":path", "/service/method"],
    ["te", "trailers"],
  ];
  assert.ok(encoder.encode(headers).length > 20);
  // 63 is the older of the two entries, 62 the newer one. Source: RFC 7541 §2.3.3.
  assert.deepEqual([...encoder.encode(headers)], [0x83, 0x80 | 63, 0x80 | 62]);
  encoder.encode([["more", "entries"]]);
  assert.deepEqual([...encoder.encode(headers)], [0x83, 0x80 | 64, 0x80 | 63]);
});
