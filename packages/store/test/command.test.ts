import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Command, CommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import fc from "fast-check";
import { commandId, decodeCommand, encodeCommand, isCommand } from "../src/command.ts";
import { del, set } from "./commands.ts";
import { hex } from "./disk.ts";

const someBytes = fc.uint8Array({ maxLength: 300 });
const someId = fc.record(
  { proposer: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), sequence: fc.nat(2 ** 32 - 1) },
  { noNullPrototype: true },
);
const someOperation = fc.oneof(
  fc.tuple(someBytes, someBytes).map(([key, value]) => set(key, value)),
  someBytes.map(del),
);

function plain(operation: Command["operation"]): readonly (string | undefined)[] {
  const value = operation.case === "set" ? hex(operation.value.value) : undefined;
  return [operation.case, operation.value && hex(operation.value.key), value];
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
    assert.equal(decoded.operation.value.key.length, length);
    assert.ok(decoded.operation.case === "set" && decoded.operation.value.value.length === length);
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
