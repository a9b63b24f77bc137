import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { PutRequestSchema, RangeResponseSchema, TxnRequestSchema } from "@dkv/protocol/etcdserverpb/rpc";
import { fromPlain, type PlainMessage, toPlain } from "../../src/message/plain.ts";

const nothing = (): bigint => {
  throw new RangeError("nothing has a name here");
};

describe("plain messages", () => {
  it("say what the message says, in etcd's names", () => {
    const plain: PlainMessage = {
      compare: [{ target: 3, key: "\0a\xff", value: "", range_end: "z" }],
      success: [
        { request_put: { key: "a", lease: 3, prev_kv: true } },
        { request_txn: { failure: [{ request_range: { key: "b", revision: -1 } }] } },
      ],
    };
    const message = fromPlain(TxnRequestSchema, plain, nothing);
    assert.deepEqual(
      toPlain(TxnRequestSchema, message, (_, value) => value),
      plain,
    );
  });

  it("keep numbers that a double cannot hold", () => {
    const plain = { key: "a", lease: "9223372036854775807" };
    const message = fromPlain(PutRequestSchema, plain, nothing);
    assert.deepEqual(
      toPlain(PutRequestSchema, message, (_, value) => value),
      plain,
    );
  });

  it("stand for numbers by name, and for long texts by what is repeated", () => {
    const plain = { key: { repeat: "ab", times: 3 }, lease: "chosen:1" };
    const message = fromPlain(PutRequestSchema, plain, (symbol) => (symbol === "chosen:1" ? 7n : 0n));
    assert.deepEqual(
      toPlain(PutRequestSchema, message, (_, value) => value),
      { key: "ababab", lease: 7 },
    );
  });

  it("cannot have a field that the message does not have", () => {
    assert.throws(() => fromPlain(PutRequestSchema, { kee: "a" }, nothing), /no field kee/);
  });

  it("tell of fields that the definition does not know", () => {
    const bytes = Buffer.concat([
      toBinary(RangeResponseSchema, create(RangeResponseSchema)),
      Buffer.of(0x78, 1),
    ]);
    const plain = toPlain(RangeResponseSchema, fromBinary(RangeResponseSchema, bytes), (_, value) => value);
    assert.deepEqual(plain, { "unknown fields": [15] });
  });
});
