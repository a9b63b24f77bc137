import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  LeaseKeepAliveResponseSchema,
  PutRequestSchema,
  RangeRequestSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { encodeAttach, encodeCount, readKeptAlive } from "../../src/store/lease/messages.ts";

function read(answer: { readonly ID: bigint; readonly TTL: bigint }): unknown {
  const header = { revision: 7n, memberId: 2n ** 63n };
  const message = create(LeaseKeepAliveResponseSchema, { header, ...answer });
  const bytes = Buffer.from(toBinary(LeaseKeepAliveResponseSchema, message));
  return readKeptAlive(bytes, 0, bytes.length);
}

test("an answer to a keep-alive says whom it is about, and what is left", () => {
  assert.deepEqual(read({ ID: 100_000n, TTL: 60n }), { lease: 100_000, ttlSeconds: 60 });
  assert.deepEqual(read({ ID: 5n, TTL: 0n }), { lease: 5, ttlSeconds: 0 });
});

test("the keys that are counted are those of leases", () => {
  const { key, lease } = fromBinary(PutRequestSchema, encodeAttach(9, Buffer.from("value")));
  assert.equal(lease, 9n);
  const counted = fromBinary(RangeRequestSchema, encodeCount());
  assert.ok(Buffer.compare(key, counted.key) > 0 && Buffer.compare(key, counted.rangeEnd) < 0);
  assert.ok(counted.countOnly);
});
