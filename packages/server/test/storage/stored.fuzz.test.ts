/** What a member finds in its own directory, which a disk may have changed. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { damaged, fuzz, readOrRefused } from "@dkv/fuzz";
import { logIndex, nodeId, term } from "@dkv/raft";
import fc from "fast-check";
import { seal } from "../../src/storage/checksum.ts";
import { DamageError } from "../../src/storage/damage.ts";
import { readGenerationFile, writeGenerationFile } from "../../src/storage/generation/generation-file.ts";
import { sealPart, unsealPart } from "../../src/storage/snapshot/progress.ts";
import { incomingKey, markerKey, metaKeys } from "../../src/storage/state/keyspace.ts";
import * as records from "../../src/storage/state/records.ts";
import { formatVersion } from "../../src/storage/storage.ts";
import { configuration } from "./fixtures.ts";

const count = fc.oneof(fc.nat(9), fc.maxSafeNat());
const checksum = fc.nat(2 ** 32 - 1);
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

const identity = fc
  .record({
    clusterId: id,
    memberId: id.map(nodeId),
    incarnation: id,
    name: fc.string({ unit: "binary", maxLength: 20 }),
  })
  .map((owner) => records.sealIdentity(owner).value);
const base = fc
  .record({
    last: fc.record({ index: count.map(logIndex), term: count.map(term) }),
    segment: count,
    record: count,
    chain: checksum,
    configuration: fc.record({
      index: count.map(logIndex),
      configuration: fc.integer({ min: 1, max: 9 }).map((voters) => configuration(voters)),
    }),
  })
  .map((one) => records.sealBase(one).value);
const marker = fc
  .record({ oldestKept: count, appliedIndex: count.map(logIndex), durableRecord: count })
  .map((one) => records.sealMarker({ batch: 7, ...one }).value);
const received = fc
  .record({
    header: fc.uint8Array({ maxLength: 40 }),
    progress: fc.record({
      chunks: count,
      records: count,
      chain: checksum,
      lastKey: fc.uint8Array({ maxLength: 12 }),
    }),
  })
  .map(sealPart);

/** Each sort of record, and the bytes that what was read of it would be written as. */
const sorts = {
  identity: {
    key: metaKeys.identity,
    valid: identity,
    again(value: Buffer) {
      const { owner } = records.unsealIdentity(value);
      return owner && records.sealIdentity(owner).value;
    },
  },
  base: {
    key: metaKeys.base,
    valid: base,
    again: (value: Buffer) => records.sealBase(records.unsealBase(value)).value,
  },
  marker: {
    key: markerKey(7),
    valid: marker,
    again: (value: Buffer) => records.sealMarker(records.unsealMarker(7, value)).value,
  },
  received: {
    key: incomingKey,
    valid: received,
    again(value: Buffer) {
      const part = unsealPart(value);
      return part && sealPart(part);
    },
  },
} as const;

for (const [name, { key, valid, again }] of Object.entries(sorts)) {
  fuzz(`stored records: ${name}`, {
    input: fc
      .tuple(damaged(valid), fc.boolean())
      .map(([value, isSealed]) => (isSealed ? seal(key, value.subarray(0, -4)) : value)),
    check(value) {
      const encoded = readOrRefused(() => again(value), DamageError);
      if (encoded !== undefined) assert.deepEqual(Buffer.from(encoded), meant(value, name));
    },
  });
}

/** A name whose bytes are no UTF-8 is read as the nearest text that is. */
function meant(value: Buffer, name: string): Buffer {
  if (name !== "identity") return Buffer.from(value);
  const body = Buffer.concat([
    value.subarray(0, 28),
    Buffer.from(value.toString("utf8", 28, value.length - 4)),
  ]);
  return seal(metaKeys.identity, body);
}

const directory = mkdtempSync(join(tmpdir(), "dkv-fuzz-"));
const path = join(directory, "generation");
process.once("exit", () => {
  rmSync(directory, { recursive: true, force: true });
});
writeGenerationFile(directory, 3);
const generationFile = readFileSync(path);

fuzz("generation files", {
  input: fc.tuple(damaged(fc.constant(generationFile)), fc.boolean()).map(([bytes, isSealed]) => {
    if (isSealed && bytes.length >= 4) bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
    return bytes;
  }),
  runs: 200,
  check(bytes) {
    writeFileSync(path, bytes);
    const read = readOrRefused(() => readGenerationFile(directory), DamageError);
    if (read?.format !== formatVersion) return;
    writeGenerationFile(directory, read.number);
    assert.deepEqual(readFileSync(path), bytes);
  },
});
