import assert from "node:assert/strict";
import { test } from "node:test";
import { create, equals, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { AuthCommandSchema, CommandSchema, TxnCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import fc from "fast-check";
import { commandId, decodeCommand, encodeCommand, isCommand } from "../src/command.ts";
import type { LoggedOperation } from "../src/operation.ts";
import { readPlain } from "../src/plain-set.ts";
import { someAuthChange, someOrigin } from "./auth/sketches.ts";
import { alarm, auth, del, set, setIf } from "./commands.ts";
import { someOperation as someSketch } from "./model/sketches.ts";

const someText = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const someNumber = fc.constantFrom(0n, 0n, 1n, -1n);
const someId = fc.record(
  { proposer: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), sequence: fc.nat(2 ** 32 - 1) },
  { noNullPrototype: true },
);
const someSet = fc
  .record({
    key: someText,
    value: someText,
    lease: someNumber,
    grantTtl: someNumber,
    wantPrevious: fc.boolean(),
    keepValue: fc.boolean(),
    keepLease: fc.boolean(),
  })
  .map(({ key, value, ...flags }) => set(key, value, flags));
const someSetIf = fc
  .record({
    key: someText,
    value: someText,
    modRevision: fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(-1n, 2n ** 33n)),
    lease: someNumber,
    grantTtl: someNumber,
  })
  .map(({ key, value, modRevision, ...flags }) => setIf([key, value], modRevision, flags));
const someOperation: fc.Arbitrary<LoggedOperation> = fc.oneof(
  fc.tuple(someText, someText).map(([key, value]) => set(key, value)),
  someSet,
  someSetIf,
  someSketch.map((sketch) =>
    sketch({ revision: 20, compactRevision: 5, term: 3, index: 30, authRevision: 1n }),
  ),
  fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.boolean()).map(([id, lift]) => alarm(id, lift)),
  someAuthChange,
);

test("who asks is read back, and nothing else is changed by it", () => {
  fc.assert(
    fc.property(someId, someOperation, someOrigin, (id, operation, origin) => {
      const read = decodeCommand(encodeCommand(id, operation, origin));
      assert.deepEqual(read.origin, origin);
      assert.ok(
        equals(
          CommandSchema,
          create(CommandSchema, { ...read.id, operation: read.operation }),
          create(CommandSchema, { ...id, operation }),
        ),
      );
    }),
  );
});

test("a plain set of somebody is not taken for one that says nothing of who asks", () => {
  for (const origin of [{ user: "one", authRevision: 0n }, "member"] as const) {
    const bytes = encodeCommand({ proposer: 1n, sequence: 2 }, set("a", "1"), origin);
    assert.equal(readPlain(bytes), undefined);
    assert.equal(isCommand(bytes), true);
  }
});

test("a change of rules that only a newer version knows is no command", () => {
  const change = create(CommandSchema, {
    proposer: 1n,
    operation: { case: "auth", value: create(AuthCommandSchema) },
  });
  const bytes = toBinary(CommandSchema, change);
  assert.equal(isCommand(bytes), false);
  assert.throws(() => decodeCommand(bytes), /this version does not know/);
  assert.equal(
    isCommand(encodeCommand({ proposer: 1n, sequence: 2 }, auth({ case: "enable", value: {} }))),
    true,
  );
});

test("what is encoded by hand, the general decoder reads", () => {
  fc.assert(
    fc.property(someId, someOperation, (id, operation) => {
      const bytes = encodeCommand(id, operation);
      const asGiven = create(CommandSchema, { ...id, operation });
      assert.ok(equals(CommandSchema, fromBinary(CommandSchema, bytes), asGiven));
      const read = decodeCommand(bytes);
      const asRead = create(CommandSchema, { ...read.id, operation: read.operation });
      assert.ok(equals(CommandSchema, asRead, asGiven), "read by hand, too");
    }),
    { numRuns: 1000 },
  );
});

test("a transaction has the bytes that the general encoder writes, whatever is in it", () => {
  const count = fc.constantFrom(0n, 1n, -1n, 127n, 128n, 2n ** 40n, -(2n ** 63n), 2n ** 63n - 1n);
  const key = fc.uint8Array({ maxLength: 200 });
  const flag = fc.boolean();
  const number = fc.constantFrom("version" as const, "createRevision", "modRevision", "lease");
  const target = fc.oneof(
    fc.record({ case: number, value: count }),
    fc.record({ case: fc.constant("value" as const), value: key }),
    fc.constant({ case: undefined }),
  );
  const compare = fc.record({ key, rangeEnd: key, relation: fc.nat(4), target });
  const range = fc.record({
    key,
    rangeEnd: key,
    limit: count,
    revision: count,
    order: fc.nat(3),
    target: fc.nat(200),
    keysOnly: flag,
    countOnly: flag,
    minModRevision: count,
    maxModRevision: count,
    minCreateRevision: count,
    maxCreateRevision: count,
  });
  const change = fc.record({
    key,
    value: key,
    lease: count,
    grantTtl: count,
    keepLease: flag,
    keepValue: flag,
  });
  const removal = fc.record({ key, rangeEnd: key, wantPrevious: flag });
  const { txn } = fc.letrec<{ txn: MessageInitShape<typeof TxnCommandSchema>; operation: unknown }>(
    (tie) => ({
      operation: fc.oneof(
        { depthIdentifier: "txn", maxDepth: 3 },
        fc.record({ operation: fc.record({ case: fc.constant("range"), value: range }) }),
        fc.record({ operation: fc.record({ case: fc.constant("set"), value: change }) }),
        fc.record({ operation: fc.record({ case: fc.constant("delete"), value: removal }) }),
        fc.constant({}),
        fc.record({ operation: fc.record({ case: fc.constant("txn"), value: tie("txn") }) }),
      ),
      txn: fc.record({
        compares: fc.array(compare, { maxLength: 3 }),
        success: fc.array(tie("operation"), { maxLength: 3, depthIdentifier: "txn" }),
        failure: fc.array(tie("operation"), { maxLength: 2, depthIdentifier: "txn" }),
        maxAnswerBytes: fc.constantFrom(0n, 2n ** 64n - 1n),
      }) as fc.Arbitrary<MessageInitShape<typeof TxnCommandSchema>>,
    }),
  );
  fc.assert(
    fc.property(txn, fc.constantFrom(0, 1, 2 ** 32 - 1), (init, sequence) => {
      const id = { proposer: 2n ** 64n - 1n, sequence };
      const value = create(TxnCommandSchema, init);
      const general = create(CommandSchema, { ...id, operation: { case: "txn", value } });
      assert.deepEqual(
        Buffer.from(encodeCommand(id, { case: "txn", value })),
        Buffer.from(toBinary(CommandSchema, general)),
      );
    }),
    { numRuns: 500 },
  );
});

test("each flag of a set is encoded, also alone", () => {
  const flags = [
    { lease: 1n },
    { grantTtl: 1n },
    { wantPrevious: true },
    { keepValue: true },
    { keepLease: true },
  ];
  for (const flag of flags) {
    const { operation } = decodeCommand(encodeCommand({ proposer: 1n, sequence: 2 }, set("a", "1", flag)));
    assert.ok(operation.case === "set");
    const [[name, value] = assert.fail()] = Object.entries(flag);
    assert.equal(new Map(Object.entries(operation.value)).get(name), value, name);
  }
});

test("a set on a condition is one whatever the revision, and nothing that a member knows without it", () => {
  for (const modRevision of [0n, 1n, 127n, 128n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n]) {
    const bytes = encodeCommand({ proposer: 1n, sequence: 2 }, setIf(["a", "1"], modRevision));
    const { operation } = decodeCommand(bytes);
    assert.ok(operation.case === "setIf");
    assert.equal(operation.value.modRevision, modRevision);
    // As a member reads it to which the tag of the operation says nothing.
    assert.equal(bytes[11], (14 << 3) | 2);
    const tagOf100 = Uint8Array.of(0xa2, 0x06);
    const asUnknown = Buffer.concat([bytes.subarray(0, 11), tagOf100, bytes.subarray(12)]);
    assert.equal(isCommand(asUnknown), false);
    assert.throws(() => decodeCommand(asUnknown), /this version does not know/);
  }
});

test("long keys and values have their lengths right at every size of a length", () => {
  for (const length of [0, 127, 128, 16_383, 16_384, 2 ** 21]) {
    const operation = set("k".repeat(length), "v".repeat(length));
    const decoded = decodeCommand(encodeCommand({ proposer: 1n, sequence: 2 }, operation));
    assert.ok(decoded.operation.case === "set");
    assert.equal(decoded.operation.value.key.length, length);
    assert.equal(decoded.operation.value.value.length, length);
  }
});

test("an id is read back from the bytes", () => {
  fc.assert(
    fc.property(someId, someOperation, (id, operation) => {
      assert.deepEqual(commandId(encodeCommand(id, operation)), id);
    }),
  );
});

test("bytes that are no command are told apart", () => {
  const command = encodeCommand({ proposer: 1n, sequence: 1 }, del("a"));
  assert.equal(isCommand(command), true);
  assert.equal(isCommand(command.subarray(0, command.length - 1)), false);
  assert.equal(isCommand(Uint8Array.of(0xff, 0xff, 0xff)), false);
  const unknown = toBinary(CommandSchema, fromBinary(CommandSchema, new Uint8Array()));
  assert.equal(isCommand(unknown), false);
  assert.throws(() => decodeCommand(unknown), /this version does not know/);
});
