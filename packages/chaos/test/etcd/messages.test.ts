import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { op } from "@dkv/client";
import { WatchResponseSchema } from "@dkv/protocol/etcdserverpb/rpc";
import { Event_EventType } from "@dkv/protocol/mvccpb/kv";
import { bytes, prefixRange, readBatch, toRequestOp } from "../../src/etcd/messages.ts";

describe("the load's words in etcd's API", () => {
  it("name keys by their beginning as those before the next one", () => {
    assert.deepEqual(prefixRange("lists/"), { key: bytes("lists/"), rangeEnd: bytes("lists0") });
  });

  it("are operations of a transaction", () => {
    const operations = [op.get({ prefix: "a" }), op.set("a", "1"), op.delete("a")].map(toRequestOp);
    assert.deepEqual(
      operations.map(({ request }) => request),
      [
        { case: "requestRange", value: { key: bytes("a"), rangeEnd: bytes("b") } },
        { case: "requestPut", value: { key: bytes("a"), value: bytes("1") } },
        { case: "requestDeleteRange", value: { key: bytes("a") } },
      ],
    );
  });
});

describe("what a watch is told", () => {
  const kv = { key: bytes("a"), value: bytes("1"), createRevision: 3n, modRevision: 5n };

  it("goes as far as its last change, whatever the header says", () => {
    const events = [{ type: Event_EventType.DELETE, kv }];
    const told = readBatch(create(WatchResponseSchema, { header: { revision: 9n }, events }));
    assert.deepEqual(told.revision, 5);
    assert.deepEqual(
      told.events.map(({ kind, kv: { key, modRevision } }) => [kind, key, modRevision]),
      [["delete", "a", 5]],
    );
  });

  it("goes as far as the header says when there are no changes", () => {
    assert.equal(readBatch(create(WatchResponseSchema, { header: { revision: 9n } })).revision, 9);
  });
});
