import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { logIndex, nodeId, term } from "@dkv/raft";
import fc from "fast-check";
import { DamagedSnapshotError } from "../src/damage.ts";
import { decodeHeader, encodeHeader, maxHeaderBytes, type SnapshotHeader } from "../src/header.ts";
import { header, headerBytes } from "./fixtures.ts";

const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const count = fc.maxSafeNat();
const entryCount = fc.integer({ min: 0, max: 2 ** 52 });

const anyHeader: fc.Arbitrary<SnapshotHeader> = fc
  .record({
    snapshotId: id,
    clusterId: id,
    index: entryCount,
    term: entryCount,
    revision: count,
    ids: fc.uniqueArray(id, { minLength: 1, maxLength: 6 }),
    context: fc.uint8Array({ maxLength: 20 }),
  })
  .map(({ snapshotId, clusterId, index, term: ofTerm, revision, ids, context }) => ({
    snapshotId,
    clusterId,
    last: { index: logIndex(index), term: term(ofTerm) },
    configuration: {
      voters: ids.slice(0, 3).map(nodeId),
      outgoing: ids.slice(0, 2).map(nodeId),
      learners: ids.slice(3).map(nodeId),
      context: Uint8Array.from(context),
    },
    revision,
  }));

/** The bytes with the checksum that belongs to them. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

test("headers come back as they were written, in the same bytes", () => {
  fc.assert(
    fc.property(anyHeader, (each) => {
      const bytes = encodeHeader(each);
      assert.deepEqual(decodeHeader(bytes), each);
      assert.deepEqual(encodeHeader(decodeHeader(bytes)), bytes);
    }),
  );
});

test("a header that was changed or cut short is refused", () => {
  for (let offset = 0; offset < headerBytes.length; offset += 1) {
    const changed = Buffer.from(headerBytes);
    changed[offset] = (changed[offset] ?? 0) ^ 1;
    assert.throws(() => decodeHeader(changed), DamagedSnapshotError);
    assert.throws(() => decodeHeader(headerBytes.subarray(0, offset)), DamagedSnapshotError);
  }
});

test("a header that makes no sense is refused although its checksum is right", () => {
  const newer = Buffer.from(headerBytes);
  newer[0] = 3;
  assert.throws(() => decodeHeader(sealed(newer)), /format 3, and this version of dkv reads format 2 only/);

  const longer = sealed(Buffer.concat([headerBytes, Buffer.alloc(1)]));
  assert.throws(() => decodeHeader(longer), /not as it was written/);

  const enormous = Buffer.from(headerBytes);
  enormous.writeUInt32BE(0xffff_ffff, 17);
  assert.throws(() => decodeHeader(sealed(enormous)), /above 2\^53/);

  for (const last of [
    { ...header.last, index: logIndex(2 ** 52 + 1) },
    { ...header.last, term: term(2 ** 52 + 1) },
  ])
    assert.throws(() => decodeHeader(encodeHeader({ ...header, last })), /term or an index above 2\^52/);

  const flawed = encodeHeader({ ...header, configuration: { ...header.configuration, voters: [] } });
  assert.throws(() => decodeHeader(flawed), /configuration in a snapshot makes no sense/);

  const context = new Uint8Array(maxHeaderBytes);
  const large = encodeHeader({ ...header, configuration: { ...header.configuration, context } });
  assert.throws(() => decodeHeader(large), /too large/);
});
