import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeHeaderBlock, HeaderDecoder } from "../src/hpack/decoder.ts";
import { encodeHeaderBlock, HeaderEncoder } from "../src/hpack/encoder.ts";
import { decodeHuffman } from "../src/hpack/huffman.ts";
import type { Header } from "../src/hpack/static-table.ts";

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
  assert.throws(() => decodeHeaderBlock(hex("21 88")), /not larger than was offered/);
});

test("a block that refers to a dynamic table, or breaks off, is refused", () => {
  assert.throws(() => decodeHeaderBlock(hex("be")), /entry of a table/);
  assert.throws(() => decodeHeaderBlock(hex("80")), /entry of a table/);
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

const get: readonly Header[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];
const requests: readonly (readonly Header[])[] = [
  get,
  [...get, ["cache-control", "no-cache"]],
  [
    [":method", "GET"],
    [":scheme", "https"],
    [":path", "/index.html"],
    [":authority", "www.example.com"],
    ["custom-key", "custom-value"],
  ],
];
const date1 = "Mon, 21 Oct 2013 20:13:21 GMT";
const rest: readonly Header[] = [
  ["cache-control", "private"],
  ["date", date1],
  ["location", "https://www.example.com"],
];
const responses: readonly (readonly Header[])[] = [
  [[":status", "302"], ...rest],
  [[":status", "307"], ...rest],
  [
    [":status", "200"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
    ["location", "https://www.example.com"],
    ["content-encoding", "gzip"],
    ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ],
];

const sequences = [
  {
    what: "C.3: requests",
    tableBytes: 4096,
    meaning: requests,
    blocks: [
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "8286 84be 5808 6e6f 2d63 6163 6865",
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ],
  },
  {
    what: "C.4: requests in Huffman code",
    tableBytes: 4096,
    meaning: requests,
    blocks: [
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      "8286 84be 5886 a8eb 1064 9cbf",
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ],
  },
  {
    what: "C.5: responses with eviction",
    tableBytes: 256,
    meaning: responses,
    blocks: [
      "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133" +
        "3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "4803 3330 37c1 c0bf",
      "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a" +
        "6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d" +
        "6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ],
  },
  {
    what: "C.6: responses in Huffman code with eviction",
    tableBytes: 256,
    meaning: responses,
    blocks: [
      "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d" +
        "29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
      "4883 640e ffc1 c0bf",
      "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d" +
        "d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106" +
        "3d50 07",
    ],
  },
];

for (const { what, tableBytes, meaning, blocks } of sequences) {
  test(`RFC 7541 appendix ${what}`, () => {
    const decoder = new HeaderDecoder({ tableBytes, listBytes: 16_384 });
    for (const [at, block] of blocks.entries()) {
      assert.deepEqual(decoder.decode(hex(block)).headers, meaning[at]);
    }
  });
}

test("any sequence of blocks of an encoder with a table is read as it was meant", () => {
  const anyHeader = fc.tuple(fc.stringMatching(/^[a-d]{1,2}$/), fc.stringMatching(/^[ -~]{0,40}$/));
  fc.assert(
    fc.property(fc.array(fc.array(anyHeader)), (lists) => {
      const encoder = new HeaderEncoder();
      const decoder = new HeaderDecoder({ tableBytes: 4096, listBytes: 1_000_000 });
      for (const headers of [...lists, ...lists]) {
        assert.deepEqual(decoder.decode(encoder.encode(headers)).headers, headers);
      }
    }),
  );
});

test("a list over the limit is cut, and later blocks are still read", () => {
  const encoder = new HeaderEncoder();
  const decoder = new HeaderDecoder({ tableBytes: 4096, listBytes: 200 });
  const large: readonly Header[] = [
    ["a", "x".repeat(100)],
    ["b", "y".repeat(100)],
  ];
  const cut = decoder.decode(encoder.encode(large));
  assert.equal(cut.isTooLarge, true);
  assert.deepEqual(cut.headers, large.slice(0, 1));
  assert.deepEqual(decoder.decode(encoder.encode(large.slice(1))).headers, large.slice(1));
});

test("a block that makes entries is not the same twice, one that does not is", () => {
  const decoder = new HeaderDecoder({ tableBytes: 4096, listBytes: 1000 });
  assert.equal(decoder.decode(hex("400161 0162")).isRepeatable, false);
  assert.equal(decoder.decode(hex("be")).isRepeatable, true);
  assert.equal(decoder.decode(hex("000161 0162")).isRepeatable, true);
  assert.equal(decoder.decode(hex("20")).isRepeatable, false);
  assert.throws(() => decoder.decode(hex("be")), /entry of a table/);
});

test("a table is resized at the beginning of a block only, and not beyond what was offered", () => {
  const decoder = new HeaderDecoder({ tableBytes: 100, listBytes: 1000 });
  assert.throws(() => decoder.decode(hex("8220")), /at the beginning/);
  assert.throws(() => decoder.decode(hex("3f46")), /not larger than was offered/);
});

test("a block without a table means the same to everybody", () => {
  const headers: readonly Header[] = [
    [":status", "200"],
    ["content-type", "application/grpc+proto"],
    ["x", "y"],
  ];
  const block = encodeHeaderBlock(headers);
  const decoder = new HeaderDecoder({ tableBytes: 4096, listBytes: 1000 });
  for (let round = 0; round < 2; round += 1) {
    const { headers: read, isRepeatable } = decoder.decode(block);
    assert.deepEqual(read, headers);
    assert.equal(isRepeatable, true);
  }
});
