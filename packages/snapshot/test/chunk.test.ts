import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  checkTrailer,
  decodeChunk,
  decodeTrailer,
  encodeChunk,
  encodeTrailer,
  maxChunkBytes,
  snapshotStart,
  type SnapshotProgress,
  type SnapshotTrailer,
  type StateRecord,
} from "../src/chunk.ts";
import { chunksOf, trailerOf } from "../src/chunker.ts";
import { DamagedSnapshotError } from "../src/damage.ts";
import { anyRecords, chunked, each, headerBytes, record } from "./fixtures.ts";

const plain = (records: readonly StateRecord[]): unknown =>
  records.map(([key, value]) => [Buffer.from(key).toString("hex"), Buffer.from(value).toString("hex")]);

/** Throws at the first chunk that is not the next one, or at the trailer. */
function readAll(chunks: readonly Uint8Array[], trailer: SnapshotTrailer): readonly StateRecord[] {
  let progress = snapshotStart(headerBytes);
  const records: StateRecord[] = [];
  for (const chunk of chunks) {
    const decoded = decodeChunk(chunk, progress);
    records.push(...decoded.records);
    progress = decoded.progress;
  }
  checkTrailer(trailer, progress);
  return records;
}

const some = [
  record("a", "1"),
  record("b", "22"),
  record("c", ""),
  record("cc", "4"),
  record("d", "5".repeat(90)),
];

/** Five chunks. */
const small = { chunkBytes: 1 };

test("whatever the records are, and however they are divided, they come back as they were", async () => {
  await fc.assert(
    fc.asyncProperty(anyRecords, fc.integer({ min: 1, max: 300 }), async (records, chunkBytes) => {
      const { chunks, trailer } = await chunked(records, { chunkBytes });
      assert.deepEqual(plain(readAll(chunks, trailer)), plain(records));
      assert.deepEqual(decodeTrailer(encodeTrailer(trailer)), trailer);
      for (const chunk of chunks) {
        const { length } = chunk;
        assert.ok(
          length <= 16 + chunkBytes || chunk.readUInt32BE(4) === 1,
          `a chunk of ${String(length)} bytes`,
        );
      }
    }),
  );
});

test("where chunks end changes nothing about the chain", async () => {
  const [one, other] = await Promise.all([chunked(some, small), chunked(some)]);
  assert.equal(one.trailer.chunks, 5);
  assert.equal(other.trailer.chunks, 1);
  assert.equal(one.trailer.chain, other.trailer.chain);
});

test("chunks that are skipped leave those after them the same", async () => {
  const { chunks, trailer } = await chunked(some, small);
  for (let skip = 0; skip <= chunks.length; skip += 1) {
    const rest = await chunked(some, { ...small, skip });
    assert.deepEqual(rest, { chunks: chunks.slice(skip), trailer });
  }
});

test("a changed byte is noticed, wherever it is", async () => {
  const { chunks, trailer } = await chunked(some, { chunkBytes: 60 });
  for (const [position, chunk] of chunks.entries()) {
    for (let offset = 0; offset < chunk.length; offset += 1) {
      const changed = Buffer.from(chunk);
      changed[offset] = (changed[offset] ?? 0) ^ 0x10;
      assert.throws(() => readAll(chunks.with(position, changed), trailer), DamagedSnapshotError);
    }
  }
  const last = encodeTrailer(trailer);
  for (let offset = 0; offset < last.length; offset += 1) {
    const changed = Buffer.from(last);
    changed[offset] = (changed[offset] ?? 0) ^ 0x10;
    assert.throws(() => readAll(chunks, decodeTrailer(changed)), DamagedSnapshotError);
  }
});

test("a chunk that is cut short or followed by something is refused", async () => {
  const { chunks } = await chunked(some);
  const [chunk = assert.fail()] = chunks;
  const start = snapshotStart(headerBytes);
  for (let length = 0; length < chunk.length; length += 1)
    assert.throws(() => decodeChunk(chunk.subarray(0, length), start), DamagedSnapshotError);
  assert.throws(() => decodeChunk(Buffer.concat([chunk, Buffer.alloc(1)]), start), DamagedSnapshotError);
});

test("chunks that are missing, repeated, swapped or of another snapshot are refused", async () => {
  const { chunks, trailer } = await chunked(some, small);
  const [one = assert.fail(), two = assert.fail(), ...rest] = chunks;
  for (const wrong of [
    [one, ...rest],
    [two, ...rest],
    [one, two],
    [one, one, two, ...rest],
    [two, one, ...rest],
    [],
  ])
    assert.throws(() => readAll(wrong, trailer), DamagedSnapshotError);
  const other = await chunked(some, { ...small, header: Buffer.from("another header") });
  assert.throws(() => readAll(other.chunks, other.trailer), /checksum of chunk 1/);
  assert.throws(() => readAll([one, other.chunks[1] ?? two, ...rest], trailer), /checksum of chunk 2/);
});

test("a trailer that tells of something else is refused", async () => {
  const { chunks, trailer } = await chunked(some, small);
  for (const wrong of [
    { ...trailer, chunks: trailer.chunks + 1 },
    { ...trailer, records: trailer.records - 1 },
    { ...trailer, chain: trailer.chain ^ 1 },
  ])
    assert.throws(() => readAll(chunks, wrong), DamagedSnapshotError);
});

/** A chunk as somebody would make it who knows how, and means harm. */
const forged = (records: readonly StateRecord[], after: SnapshotProgress): Buffer =>
  encodeChunk(records, after).chunk;

test("only records of the state machine are taken, each once, in the order of their keys", () => {
  const start = snapshotStart(headerBytes);
  const below: StateRecord = [Buffer.of(0x0f, 0xff), Buffer.from("a vote")];
  const nameless: StateRecord = [Buffer.alloc(0), Buffer.from("1")];
  for (const records of [[below], [nameless]])
    assert.throws(() => decodeChunk(forged(records, start), start), /not of the state machine/);
  const [a, b] = [record("a", "1"), record("b", "2")];
  for (const records of [
    [b, a],
    [a, a],
  ])
    assert.throws(() => decodeChunk(forged(records, start), start), /order of their keys/);
  const { progress } = decodeChunk(forged([b], start), start);
  assert.throws(() => decodeChunk(forged([a], progress), progress), /order of their keys/);
  assert.throws(() => decodeChunk(forged([], start), start), /empty/);
});

test("lengths are believed only as far as the chunk goes", () => {
  const start = snapshotStart(headerBytes);
  const { chunk } = encodeChunk([record("a", "1")], start);
  for (const [offset, length] of [
    [16, 0xffff_ffff],
    [16, 4],
    [20, 0xffff_ffff],
    [20, 2],
  ] as const) {
    const wrong = Buffer.from(chunk);
    wrong.writeUInt32BE(length, offset);
    // With the checksum that belongs to it, so that nothing but the length is wrong.
    const { chain } = snapshotStart(Buffer.concat([headerBytes, wrong.subarray(16)]));
    wrong.writeUInt32BE(chain, 12);
    assert.throws(() => decodeChunk(wrong, start), /longer than the chunk/);
  }
  assert.throws(() => decodeChunk(Buffer.alloc(maxChunkBytes + 1), start), /too large/);
});

test("one chunk is read ahead of the caller, and the records are closed when the caller goes away", async () => {
  let read = 0;
  let isClosed = false;
  async function* endless(): AsyncGenerator<StateRecord> {
    try {
      for (;;) {
        read += 1;
        yield await Promise.resolve(record(String(read).padStart(9, "0"), "value"));
      }
    } finally {
      isClosed = true;
    }
  }
  const chunks = chunksOf(endless(), { header: headerBytes, chunkBytes: 230 });
  for (let taken = 1; taken <= 3; taken += 1) {
    await chunks.next();
    assert.equal(read, taken * 10 + 1);
  }
  await chunks.return(trailerOf(snapshotStart(headerBytes)));
  assert.equal(isClosed, true);
});

test("an empty state has no chunks", async () => {
  const { chunks, trailer } = await chunked([]);
  assert.deepEqual(chunks, []);
  assert.deepEqual(readAll(chunks, trailer), []);
  assert.deepEqual([trailer.chunks, trailer.records], [0, 0]);
});

test("what fails while records are read fails the chunks", async () => {
  async function* failing(): AsyncGenerator<StateRecord> {
    yield* each(some);
    throw new Error("the disk is gone");
  }
  const chunks = chunksOf(failing(), { header: headerBytes, ...small });
  await assert.rejects(async () => {
    while ((await chunks.next()).done !== true);
  }, /the disk is gone/);
});
