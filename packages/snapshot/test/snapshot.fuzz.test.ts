/** Headers, chunks and trailers, as peers send them, and whole backups. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { damaged, fuzz, inPieces, readOrRefused } from "@dkv/fuzz";
import { nodeId } from "@dkv/raft";
import { encodePosition, positionKey } from "@dkv/store";
import fc from "fast-check";
import { type BackupPart, readBackup } from "../src/backup/reader.ts";
import { encodeBackup } from "../src/backup/writer.ts";
import {
  decodeChunk,
  decodeTrailer,
  encodeChunk,
  encodeTrailer,
  snapshotStart,
  type StateRecord,
} from "../src/chunk.ts";
import { chunksOf } from "../src/chunker.ts";
import { DamagedSnapshotError } from "../src/damage.ts";
import { decodeHeader, encodeHeader, type SnapshotHeader } from "../src/header.ts";
import { all, anyRecords, each, header as someHeader, headerBytes } from "./fixtures.ts";

const count = fc.oneof(fc.nat(9), fc.maxSafeNat());
const id = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const ids = fc.uniqueArray(id.map(nodeId), { minLength: 1, maxLength: 5 });

const header = fc
  .record({ snapshotId: id, clusterId: id, voters: ids, revision: count })
  .map(({ voters, ...rest }) =>
    encodeHeader({
      ...someHeader,
      ...rest,
      configuration: { ...someHeader.configuration, voters, learners: [] },
    }),
  );

/** With the checksum made right again, if so it shall be: what is behind it has to look for itself. */
const resealed = (bytes: Buffer): Buffer => {
  if (bytes.length < 4) return bytes;
  const changed = Buffer.from(bytes);
  changed.writeUInt32BE(crc32(changed.subarray(0, -4)), changed.length - 4);
  return changed;
};

fuzz("headers of snapshots", {
  input: fc
    .tuple(damaged(header), fc.boolean())
    .map(([bytes, isSealed]) => (isSealed ? resealed(bytes) : bytes)),
  check(bytes) {
    const decoded = readOrRefused(() => decodeHeader(bytes), DamagedSnapshotError);
    if (decoded !== undefined) assert.deepEqual(encodeHeader(decoded), Buffer.from(bytes));
  },
});

const start = snapshotStart(headerBytes);
const chunk = anyRecords
  .filter((records) => records.length > 0)
  .map((records) => encodeChunk(records, start).chunk);

/** Length and chain as they have to be for the content that is there. */
const rechained = (bytes: Buffer): Buffer => {
  if (bytes.length < 16) return bytes;
  const changed = Buffer.from(bytes);
  changed.writeUInt32BE(changed.length - 16, 8);
  changed.writeUInt32BE(crc32(changed.subarray(16), start.chain), 12);
  return changed;
};

fuzz("chunks of snapshots", {
  input: fc
    .tuple(damaged(chunk), fc.boolean())
    .map(([bytes, isSealed]) => (isSealed ? rechained(bytes) : bytes)),
  check(bytes) {
    const decoded = readOrRefused(() => decodeChunk(bytes, start), DamagedSnapshotError);
    if (decoded === undefined) return;
    const again = encodeChunk(decoded.records, start);
    assert.deepEqual(again.chunk, Buffer.from(bytes));
    assert.deepEqual(
      { ...again.progress, lastKey: [...again.progress.lastKey] },
      {
        ...decoded.progress,
        lastKey: [...decoded.progress.lastKey],
      },
    );
  },
});

fuzz("trailers of snapshots", {
  input: damaged(
    fc.record({ chunks: fc.nat(2 ** 32 - 1), records: count, chain: fc.nat(2 ** 32 - 1) }).map(encodeTrailer),
  ),
  check(bytes) {
    const decoded = readOrRefused(() => decodeTrailer(bytes), DamagedSnapshotError);
    if (decoded !== undefined) assert.deepEqual(encodeTrailer(decoded), Buffer.from(bytes));
  },
});

const position: StateRecord = [positionKey, encodePosition({ appliedIndex: 2, appliedTerm: 1, revision: 1 })];
const backupHeader = {
  ...someHeader,
  last: { index: 2, term: 1 } as SnapshotHeader["last"],
  revision: 1,
};

/** Header, one chunk and trailer: the store's records come from members, and are sealed. */
const wholeBackup = Buffer.concat(
  await all(
    encodeBackup({
      header: backupHeader,
      chunks: () => chunksOf(each([position]), { header: encodeHeader(backupHeader) }),
    }),
  ),
);

/** The checksum at the end says that nothing was changed, which is not so. */
const redigested = (bytes: Buffer): Buffer => {
  const content = bytes.subarray(0, -32);
  return Buffer.concat([content, createHash("sha256").update(content).digest()]);
};

fuzz("backups", {
  input: fc
    .tuple(damaged(fc.constant(wholeBackup)), fc.boolean())
    .chain(([bytes, isSealed]) => inPieces(fc.constant(isSealed ? redigested(bytes) : bytes))),
  async check(pieces) {
    let parts: readonly BackupPart[];
    try {
      parts = await all(readBackup(each(pieces)));
    } catch (error) {
      assert.ok(error instanceof DamagedSnapshotError, String(error));
      return;
    }
    const chunks = parts.flatMap((part) => (part.kind === "chunk" ? [part.chunk] : []));
    const [first] = parts;
    const end = parts.at(-1);
    assert.ok(first?.kind === "header" && end?.kind === "end");
    async function* again(): ReturnType<typeof chunksOf> {
      yield* each(chunks);
      return end?.kind === "end" ? end.trailer : assert.fail();
    }
    const bytes = Buffer.concat(await all(encodeBackup({ header: first.header, chunks: again })));
    assert.deepEqual(bytes, Buffer.concat(pieces));
  },
});
