/** Frames and header blocks of HTTP/2, before anybody asks what they mean. */
import assert from "node:assert/strict";
import { damaged, fuzz, inPieces, readOrRefused } from "@dkv/fuzz";
import fc from "fast-check";
import { ConnectionError } from "../src/connection-error.ts";
import { FrameReader } from "../src/frame-reader.ts";
import { frame } from "../src/frames.ts";
import { HeaderDecoder } from "../src/hpack/decoder.ts";
import { encodeHeaderBlock, HeaderEncoder } from "../src/hpack/encoder.ts";
import { decodeHuffman } from "../src/hpack/huffman.ts";
import { entryBytes, type Header } from "../src/hpack/static-table.ts";

const anyFrame = fc
  .record({
    type: fc.nat(11),
    flags: fc.nat(255),
    streamId: fc.nat(2 ** 31 - 1),
    payload: fc.uint8Array({ maxLength: 60 }),
  })
  .map(({ payload, ...head }) => frame(head, payload));
const frames = fc.array(anyFrame, { maxLength: 6 }).map((list) => Buffer.concat(list));

interface Seen {
  readonly type: number;
  readonly content: string;
  readonly payloadBytes: number;
}

/** What was handed out, and whether the reader then threw what it may. */
function read(chunks: readonly Buffer[]): { readonly seen: readonly Seen[]; readonly isBroken: boolean } {
  const seen: Seen[] = [];
  const reader = new FrameReader(({ type, source, start, end, payloadBytes }) => {
    assert.ok(start <= end && end <= source.length);
    seen.push({ type, content: source.toString("hex", start, end), payloadBytes });
  });
  const done = readOrRefused(() => {
    for (const chunk of chunks) reader.accept(chunk);
    return true;
  }, ConnectionError);
  return { seen, isBroken: done === undefined };
}

fuzz("HTTP/2 frames", {
  input: inPieces(damaged(frames)),
  check(pieces) {
    assert.deepEqual(read(pieces), read([Buffer.concat(pieces)]), "pieces make no difference");
  },
});

const name = fc.oneof(fc.constantFrom(":path", "te", "cookie", "x-a"), fc.stringMatching(/^[a-z-]{1,20}$/));
const value = fc.oneof(fc.constantFrom("", "/", "a"), fc.stringMatching(/^[ -~]{0,300}$/));
const list = fc.array(fc.tuple(name, value), { maxLength: 8 });
/** Blocks of one client, the later ones of which may refer to the earlier ones. */
const blocks = fc.array(list, { minLength: 1, maxLength: 4 }).map((lists) => {
  const encoder = new HeaderEncoder();
  return lists.map((headers) => encoder.encode(headers));
});
const damagedBlocks = blocks.chain((whole) =>
  fc.tuple(...whole.map((block) => fc.oneof(fc.constant(block), damaged(fc.constant(block))))),
);

const limits = { tableBytes: 4096, listBytes: 4000 };

fuzz("header blocks", {
  input: damagedBlocks,
  check(list) {
    const decoder = new HeaderDecoder(limits);
    for (const block of list) {
      const decoded = readOrRefused(() => decoder.decode(block), ConnectionError);
      if (decoded === undefined) return;
      const bytes = decoded.headers.reduce((sum, header) => sum + entryBytes(header), 0);
      assert.ok(bytes <= limits.listBytes, "a list is cut at its limit");
      const again = new HeaderDecoder(limits).decode(encodeHeaderBlock(decoded.headers));
      assert.deepEqual(again.headers, decoded.headers);
    }
  },
});

/** One entry of the table, as large as it may be, and a block that is nothing but references to it. */
fuzz("header blocks that say much in few bytes", {
  input: fc.tuple(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1, max: 60_000 })),
  runs: 20,
  check([length, times]) {
    const decoder = new HeaderDecoder(limits);
    const header: Header = ["x", "y".repeat(length)];
    decoder.decode(new HeaderEncoder().encode([header]));
    const { headers, isTooLarge } = decoder.decode(Buffer.alloc(times, 0xbe));
    assert.equal(isTooLarge, times * entryBytes(header) > limits.listBytes);
    assert.equal(headers.length, Math.min(times, Math.floor(limits.listBytes / entryBytes(header))));
  },
});

const huffman = fc.constantFrom("f1e3c2e5f23a6ba0ab90f4ff", "a8eb10649cbf", "6402", "aec3771a4b");

fuzz("Huffman strings", {
  input: damaged(huffman.map((hex) => Buffer.from(hex, "hex"))),
  check(bytes) {
    const decoded = readOrRefused(() => decodeHuffman(bytes), ConnectionError);
    // The shortest code has five bits.
    if (decoded !== undefined) assert.ok(decoded.length <= (bytes.length * 8) / 5);
  },
});
