import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Command, CommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import fc from "fast-check";
import { commandId, decodeCommand, encodeCommand, isCommand } from "../src/command.ts";
import type { LoggedOperation } from "../src/operation.ts";
import { alarm, check, del, set } from "./commands.ts";
import { hex } from "./disk.ts";

const someBytes = fc.uint8Array({ maxLength: 300 });
const someId = fc.record(
  { proposer: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), sequence: fc.nat(2 ** 32 - 1) },
  { noNullPrototype: true },
);
const someOperation: fc.Arbitrary<LoggedOperation> = fc.oneof(
  fc.tuple(someBytes, someBytes).map(([key, value]) => set(key, value)),
  someBytes.map(del),
  fc.constant(check),
  fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.boolean()).map(([id, lift]) => alarm(id, lift)),
);

function plain(operation: Command["operation"]): readonly unknown[] {
  if (operation.case === "set") return ["set", hex(operation.value.key), hex(operation.value.value)];
  if (operation.case === "delete") return ["delete", hex(operation.value.key)];
  if (operation.case === "alarm") return ["alarm", { ...operation.value }];
  return [operation.case];
}

test("what is encoded by hand, the general decoder reads", () => {
  fc.assert(
    fc.property(someId, someOperation, (id, operation) => {
      const command = fromBinary(CommandSchema, encodeCommand(id, operation));
      assert.deepEqual({ proposer: command.proposer, sequence: command.sequence }, id);
      assert.deepEqual(plain(command.operation), plain(operation));
    }),
  );
});

test("long keys and values have their lengths right at every size of a length", () => {
  for (const length of [0, 127, 128, 16_383, 16_384, 2 ** 21]) {
    const operation = set(new Uint8Array(length).fill(1), new Uint8Array(length).fill(2));
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
  const command = encodeCommand({ proposer: 1n, sequence: 1 }, del(Uint8Array.of(1)));
  assert.equal(isCommand(command), true);
  assert.equal(isCommand(command.subarray(0, command.length - 1)), false);
  assert.equal(isCommand(Uint8Array.of(0xff, 0xff, 0xff)), false);
  assert.equal(isCommand(toBinary(CommandSchema, fromBinary(CommandSchema, new Uint8Array()))), false);
});
