/** What the store reads back from a disk, from a backup, and out of the log. */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type AlarmKind, CommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { damaged, damagedMessage, fuzz, readOrRefused } from "@dkv/fuzz";
import fc from "fast-check";
import { alarmsKey, decodeAlarms, encodeAlarms } from "../src/alarms.ts";
import { authKey, decodeAuth, encodeAuth } from "../src/auth/auth-record.ts";
import { commandId, type DecodedCommand, decodeCommand, encodeCommand, isCommand } from "../src/command.ts";
import {
  changeBytes,
  changeKeyBytes,
  decodeChange,
  writeChange,
  writeChangeKey,
} from "../src/keyspace/change-record.ts";
import { readPlain } from "../src/plain-set.ts";
import { checkRecord, type RecordKind } from "../src/keyspace/check-record.ts";
import { compactionKey, decodeCompaction, encodeCompaction } from "../src/keyspace/compaction-record.ts";
import {
  currentKey,
  currentRecordBytes,
  decodeCurrent,
  writeCurrent,
} from "../src/keyspace/current-record.ts";
import { decodeIndex, indexKey, indexRecordBytes, writeIndex } from "../src/keyspace/index-record.ts";
import {
  attachedKeyIn,
  attachmentKey,
  decodeLease,
  encodeAttachment,
  encodeLease,
  leaseIn,
  leaseKey,
} from "../src/keyspace/lease-records.ts";
import { decodePosition, encodePosition, positionKey } from "../src/keyspace/position-record.ts";
import { DamagedRecordError } from "../src/keyspace/record.ts";
import type { StoredRecord } from "../src/storage.ts";
import { Store } from "../src/store.ts";
import type { Change, Facts, Made } from "../src/version.ts";
import { alarm } from "./commands.ts";
import { Disk } from "./disk.ts";
import { someAuth, someAuthChange, someOrigin } from "./auth/sketches.ts";
import { someOperation } from "./model/sketches.ts";

const count = fc.oneof(fc.nat(9), fc.maxSafeNat());
const sub = fc.oneof(fc.nat(9), fc.nat(2 ** 32 - 1));
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const signed = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const text = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const keyText = fc.oneof(
  text,
  fc.array(fc.constantFrom("\0", "\xff", "a")).map((parts) => parts.join("")),
);
const place = fc.record({ revision: count.filter((revision) => revision > 0), sub });
const facts = fc.record({ createRevision: count, modRevision: count, sub, version: count, lease: signed });
const made: fc.Arbitrary<Made> = fc.oneof(
  fc.tuple(facts, text).map(([known, value]) => ({ isDeleted: false, value, ...known }) as const),
  fc.record({ modRevision: count, sub }).map((at) => ({ isDeleted: true, ...at }) as const),
);
const change: fc.Arbitrary<Change> = fc.record({
  key: keyText,
  made,
  previous: fc.option(place, { nil: undefined }),
});

function changeRecord(one: Change): StoredRecord {
  const buffer = Buffer.alloc(changeBytes(one));
  const keyEnd = writeChangeKey(buffer, { revision: one.made.modRevision, sub: one.made.sub }, 0);
  assert.equal(keyEnd, changeKeyBytes);
  assert.equal(writeChange(buffer, one, { keyOffset: 0, offset: keyEnd }), buffer.length);
  return [buffer.subarray(0, keyEnd), buffer.subarray(keyEnd)];
}

function indexRecord(one: Change): StoredRecord {
  const key = Buffer.from(indexKey(one.key, one.made.modRevision));
  const buffer = Buffer.concat([key, Buffer.alloc(indexRecordBytes)]);
  assert.equal(writeIndex(buffer, one, { keyOffset: 0, offset: key.length }), buffer.length);
  return [key, buffer.subarray(key.length)];
}

function currentRecord(key: Uint8Array, known: Facts): StoredRecord {
  const buffer = Buffer.concat([key, Buffer.alloc(currentRecordBytes)]);
  assert.equal(writeCurrent(buffer, known, { keyOffset: 0, offset: key.length }), buffer.length);
  return [key, buffer.subarray(key.length)];
}

const valid: Readonly<Record<RecordKind, fc.Arbitrary<StoredRecord>>> = {
  position: fc
    .record({ appliedIndex: count, appliedTerm: count, revision: count })
    .map((position) => [positionKey, encodePosition(position)]),
  change: change.map(changeRecord),
  index: change.map(indexRecord),
  lease: fc
    .tuple(signed, fc.record({ grantedTtl: signed, remainingTtl: signed, grantedIndex: count }))
    .map(([name, lease]) => {
      const key = leaseKey(name);
      return [key, encodeLease(key, lease)];
    }),
  attachment: fc.tuple(signed, keyText).map(([name, attached]) => {
    const key = attachmentKey(name, attached);
    return [key, encodeAttachment(key)];
  }),
  alarms: fc
    .array(fc.record({ clusterId: id, memberId: id, kind: fc.nat(255).map((kind) => kind as AlarmKind) }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((list) => [alarmsKey, encodeAlarms(list) ?? assert.fail()]),
  auth: someAuth.map((auth) => [authKey, encodeAuth(auth)]),
  compaction: fc
    .record({ revision: count, isRemoved: fc.boolean(), next: fc.record({ revision: count, sub }) })
    .map((compaction) => [compactionKey, encodeCompaction(compaction)]),
  current: fc.tuple(keyText, facts).map(([key, known]) => currentRecord(currentKey(key), known)),
};

/** What the store would write for what it has read. */
const again: Readonly<Record<RecordKind, (key: Uint8Array, record: Uint8Array) => StoredRecord>> = {
  position: (_, record) => [positionKey, encodePosition(decodePosition(record))],
  change: (key, record) => changeRecord(decodeChange(key, record)),
  index(key, record) {
    const { key: indexed, revision, sub: at, isDeleted } = decodeIndex(key, record);
    const where = { modRevision: revision, sub: at };
    const version = {
      ...where,
      isDeleted: false,
      value: "",
      createRevision: 1,
      version: 1,
      lease: 0n,
    } as const;
    const what = isDeleted ? ({ ...where, isDeleted } as const) : version;
    return indexRecord({ key: indexed, made: what, previous: undefined });
  },
  lease(key, record) {
    const written = leaseKey(leaseIn(key));
    return [written, encodeLease(written, decodeLease(key, record))];
  },
  attachment(key) {
    const written = attachmentKey(leaseIn(key), attachedKeyIn(key));
    return [written, encodeAttachment(written)];
  },
  alarms: (_, record) => [alarmsKey, encodeAlarms(decodeAlarms(record)) ?? assert.fail()],
  auth: (_, record) => [authKey, encodeAuth(decodeAuth(record))],
  compaction: (_, record) => [compactionKey, encodeCompaction(decodeCompaction(record))],
  current: (key, record) => currentRecord(key, decodeCurrent(key, record)),
};

const kept = (bytes: Uint8Array): fc.Arbitrary<Buffer> => fc.constant(Buffer.from(bytes));

/** The record is damaged, or the key; the checksum may be right again, so that the rest has to look. */
const stored = fc.oneof(...Object.values(valid)).chain(([key, record]) =>
  fc
    .record({
      key: fc.oneof({ weight: 3, arbitrary: kept(key) }, { weight: 1, arbitrary: damaged(fc.constant(key)) }),
      value: fc.oneof(
        { weight: 3, arbitrary: damaged(fc.constant(record)) },
        { weight: 1, arbitrary: kept(record) },
      ),
      isSealed: fc.boolean(),
    })
    .map((one) => ({ key: one.key, value: one.isSealed ? sealed(one.key, one.value) : one.value })),
);

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
    if (kind === undefined) return;
    const [writtenKey, written] = again[kind](key, value);
    assert.deepEqual(Buffer.from(writtenKey), key);
    assert.deepEqual(Buffer.from(written), value);
  },
});

const operation = fc.oneof(
  someOperation.map((sketch) =>
    sketch({ revision: 20, compactRevision: 5, term: 1, index: 30, authRevision: 1n }),
  ),
  fc.tuple(id, fc.boolean()).map(([member, lift]) => alarm(member, lift)),
  someAuthChange,
);
const command = fc
  .tuple(fc.record({ proposer: id, sequence: fc.nat(2 ** 32 - 1) }), operation, someOrigin)
  .map(([by, what, origin]) => encodeCommand(by, what, origin));

const encoded = ({ id: by, operation: what, origin }: DecodedCommand): Uint8Array =>
  toBinary(
    CommandSchema,
    create(CommandSchema, {
      ...by,
      operation: what,
      ...(origin === "member" ? { byMember: true } : origin),
    }),
  );

/** Each is taken apart several times here: of longer ones that alone takes more memory than is allowed. */
const mostCommandBytes = 20_000;

fuzz("commands", {
  input: damagedMessage(command).filter(({ length }) => length <= mostCommandBytes),
  async check(bytes) {
    if (!isCommand(bytes)) return;
    const decoded = decodeCommand(bytes);
    assert.deepEqual(commandId(bytes), decoded.id);
    const plain = readPlain(bytes);
    if (plain !== undefined)
      assert.deepEqual(encoded(plain), toBinary(CommandSchema, fromBinary(CommandSchema, bytes)));
    const first = encoded(decoded);
    assert.deepEqual(encoded(decodeCommand(first)), first);
    const store = new Store(new Disk(), { cacheBytes: 1000 });
    const prepared = await store.prepare(decoded, true);
    store.apply({ index: 1, term: 1 }, decoded, { prepared, isWanted: true });
    for (const { key, value } of store.takeChanges()) if (value !== undefined) checkRecord(key, value);
  },
});
