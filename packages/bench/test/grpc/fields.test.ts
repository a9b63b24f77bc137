import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { KeyValueSchema } from "@dkv/protocol/dkv/v1/dkv";
import { Fields } from "../../src/grpc/fields.ts";

test("fields are found with their numbers and where their bytes are", () => {
  const value = Buffer.alloc(200, "v");
  const kv = { key: "k", value, modRevision: 2n ** 50n + 1n, version: 127n };
  const message = Buffer.concat([
    Buffer.from("before"),
    toBinary(KeyValueSchema, create(KeyValueSchema, kv)),
    Buffer.from("behind"),
  ]);
  const fields = new Fields().open(message, 6, message.length - 6);
  const found = new Map<number, unknown>();
  while (fields.next()) {
    const isText = fields.field <= 2;
    found.set(fields.field, isText ? message.toString("latin1", fields.start, fields.end) : fields.number);
  }
  assert.deepEqual(
    [...found],
    [
      [1, "k"],
      [2, value.toString()],
      [4, 2 ** 50 + 1],
      [5, 127],
    ],
  );
});

test("fields of fixed length are passed over, and a message that is cut is refused", () => {
  const fields = new Fields().open(Buffer.from("0d010203041009", "hex"), 0, 7);
  assert.ok(fields.next());
  assert.deepEqual([fields.field, fields.number], [1, 0]);
  assert.ok(fields.next());
  assert.deepEqual([fields.field, fields.number], [2, 9]);
  assert.equal(fields.next(), false);
  for (const cut of ["10", "1280", "120501", "0d0102", "13"]) {
    const bytes = Buffer.from(cut, "hex");
    assert.throws(() => new Fields().open(bytes, 0, bytes.length).next(), cut);
  }
});
