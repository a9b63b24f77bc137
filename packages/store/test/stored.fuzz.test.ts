/** What the store reads back from a disk, from a backup, and out of the log. */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { type AlarmKind, CommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { damaged, damagedMessage, fuzz, readOrRefused } from "@dkv/fuzz";
import fc from "fast-check";
import { decodeAlarms, encodeAlarms } from "../src/alarms.ts";
import { commandId, type DecodedCommand, decodeCommand, encodeCommand, isCommand } from "../src/command.ts";
import {
  alarmsKey,
  currentKey,
  DamagedRecordError,
  decodePosition,
  encodePosition,
  positionKey,
  readVersion,
  recordOverheadBytes,
  writeVersion,
} from "../src/keyspace.ts";
import type { LoggedOperation } from "../src/operation.ts";
import { checkRecord } from "../src/record.ts";
import { Store } from "../src/store.ts";
import { alarm, check, del, set } from "./commands.ts";
import { Disk } from "./disk.ts";

const count = fc.oneof(fc.nat(9), fc.maxSafeNat());
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

const position = fc.record({ appliedIndex: count, appliedTerm: count, revision: count }).map(encodePosition);
const alarms = fc
  .array(fc.record({ clusterId: id, memberId: id, kind: fc.nat(255).map((kind) => kind as AlarmKind) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((list) => encodeAlarms(list) ?? assert.fail());
const version = fc
  .record({
    value: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    createRevision: count,
    modRevision: count,
    version: count,
  })
  .map(sealVersion);

const someKey = currentKey("k");

function sealVersion(one: Parameters<typeof writeVersion>[1]): Uint8Array {
  const buffer = Buffer.alloc(someKey.length + recordOverheadBytes + one.value.length);
  buffer.set(someKey);
  writeVersion(buffer, one, { keyOffset: 0, offset: someKey.length });
  return buffer.subarray(someKey.length);
}

/** Whether the checksum is made right again, so that what is behind it has to look for itself. */
const kinds = [
  { key: positionKey, valid: position },
  { key: alarmsKey, valid: alarms },
  { key: someKey, valid: version },
  { key: Uint8Array.of(0x11, 1), valid: version },
];
const stored = fc
  .constantFrom(...kinds)
  .chain(({ key, valid }) =>
    fc.record({ key: fc.constant(key), value: damaged(valid), isSealed: fc.boolean() }),
  )
  .map(({ key, value, isSealed }) => ({ key, value: isSealed ? sealed(key, value) : value }));

function sealed(key: Uint8Array, value: Buffer): Buffer {
  if (value.length < 4) return value;
  const changed = Buffer.from(value);
  changed.writeUInt32BE(crc32(changed.subarray(0, -4), crc32(key)), changed.length - 4);
  return changed;
}

fuzz("records of the store", {
  input: stored,
  check({ key, value }) {
    const kind = readOrRefused(() => checkRecord(key, value), DamagedRecordError);
    if (kind === "position") assert.deepEqual(Buffer.from(encodePosition(decodePosition(value))), value);
    else if (kind === "alarms")
      assert.deepEqual(Buffer.from(encodeAlarms(decodeAlarms(value)) ?? assert.fail()), value);
    else if (kind === "key") assert.deepEqual(Buffer.from(sealVersion(readVersion(key, value))), value);
  },
});

const operation: fc.Arbitrary<LoggedOperation> = fc.oneof(
  fc
    .tuple(fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ maxLength: 200 }))
    .map(([key, value]) => set(key, value)),
  fc.uint8Array({ maxLength: 30 }).map(del),
  fc.constant(check),
  fc.tuple(id, fc.boolean()).map(([member, lift]) => alarm(member, lift)),
);
const command = fc
  .tuple(fc.record({ proposer: id, sequence: fc.nat(2 ** 32 - 1) }), operation)
  .map(([by, what]) => encodeCommand(by, what));

const encoded = ({ id: by, operation: what }: DecodedCommand): Uint8Array =>
  toBinary(CommandSchema, create(CommandSchema, { ...by, operation: what }));

fuzz("commands", {
  input: damagedMessage(command),
  check(bytes) {
    if (!isCommand(bytes)) return;
    const decoded = decodeCommand(bytes);
    assert.deepEqual(commandId(bytes), decoded.id);
    const again = encoded(decoded);
    assert.deepEqual(encoded(decodeCommand(again)), again);
    const store = new Store(new Disk(), { cacheBytes: 1000 });
    store.apply(1, 1, bytes);
    for (const { key, value } of store.takeChanges()) if (value !== undefined) checkRecord(key, value);
  },
});
