/** What clients of etcd read: in which order, how much at a time, and whether a quorum is asked. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type RangeRequestSchema,
  RangeRequest_SortOrder as Order,
  RangeRequest_SortTarget as SortTarget,
} from "@dkv/protocol/etcdserverpb/rpc";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { bytes, type EtcdClient, everything, openEtcd, refusalOf, textOf } from "./etcd-client.ts";

const put = (client: EtcdClient, key: string, value = "") =>
  client.kv.put({ key: bytes(key), value: bytes(value) });

async function keysOf(client: EtcdClient, request: MessageInitShape<typeof RangeRequestSchema>) {
  const { kvs } = await client.kv.range({ ...everything, ...request });
  return kvs.map(({ key }) => textOf(key)).join("");
}

describe("a Range of etcd", () => {
  it("sorts by what it is told to, and leaves out what is beyond its bounds", async (t) => {
    const client = await openEtcd(t);
    // Each is set as often as it stands here.
    for (const key of "bacdbbddccca") await put(client, key, { a: "2", b: "4", c: "1", d: "3" }[key]);
    for (const [sortTarget, ascending, descending] of [
      [SortTarget.KEY, "abcd", "dcba"],
      // Those of one version stay in the order of the keys.
      [SortTarget.VERSION, "abdc", "cbda"],
      [SortTarget.CREATE, "bacd", "dcab"],
      [SortTarget.MOD, "bdca", "acdb"],
      [SortTarget.VALUE, "cadb", "bdac"],
    ] as const) {
      assert.equal(await keysOf(client, { sortTarget, sortOrder: Order.ASCEND }), ascending);
      const two = await keysOf(client, { sortTarget, sortOrder: Order.DESCEND, limit: 2n });
      assert.equal(two, descending.slice(0, 2));
    }
    assert.equal(await keysOf(client, { minModRevision: 12n }), "ac");
    assert.equal(await keysOf(client, { maxModRevision: 11n }), "bd");
    assert.equal(await keysOf(client, { minCreateRevision: 3n }), "acd");
    assert.equal(await keysOf(client, { maxCreateRevision: 3n }), "ab");
  });

  it("asks a quorum, one key or many, unless it may be answered by one member", async (t) => {
    const client = await openEtcd(t);
    const { kv, member } = client;
    const asks = async (read: () => Promise<unknown>): Promise<number> => {
      const { barriers } = member;
      await read();
      return member.barriers - barriers;
    };
    const all = async (request: MessageInitShape<typeof RangeRequestSchema>) => {
      for await (const part of kv.rangeStream({ ...everything, ...request })) assert.ok(part.rangeResponse);
    };
    for (const [serializable, count] of [
      [false, 1],
      [true, 0],
    ] as const) {
      assert.equal(await asks(() => kv.range({ key: bytes("a"), serializable })), count);
      assert.equal(await asks(() => kv.range({ ...everything, serializable })), count);
      assert.equal(await asks(() => all({ serializable })), count);
    }
    // Another member may have got further, so a quorum is asked before a revision is said to be none.
    const isRefused = (read: () => Promise<unknown>) => async () =>
      assert.match(await refusalOf(read()), /required revision is a future revision/);
    for (const [revision, count, seen] of [
      [1n, 0, (read: () => Promise<unknown>) => read],
      [2n, 1, isRefused],
    ] as const) {
      const old = { serializable: true, revision };
      assert.equal(await asks(seen(() => kv.range({ key: bytes("a"), ...old }))), count);
      assert.equal(await asks(seen(() => kv.range({ ...everything, ...old }))), count);
      assert.equal(await asks(seen(() => all(old))), count);
    }
    await client.lease.leaseGrant({ TTL: 60n, ID: 7n });
    assert.equal(await asks(() => client.lease.leaseLeases({})), 1);
    // What is left of its time the leader is asked in another way.
    assert.equal(await asks(() => client.lease.leaseTimeToLive({ ID: 7n })), 0);
    assert.equal(await asks(() => client.lease.leaseTimeToLive({ ID: 7n, keys: true })), 1);
  });

  it("in parts has a few keys first, then many, and never much in one part", async (t) => {
    const client = await openEtcd(t);
    const partsOf = async (range: MessageInitShape<typeof RangeRequestSchema>): Promise<number[]> => {
      const parts: number[] = [];
      for await (const { rangeResponse } of client.kv.rangeStream(range))
        parts.push(rangeResponse?.kvs.length ?? 0);
      return parts;
    };
    const success = (from: number) =>
      Array.from({ length: 128 }, (_, at) => ({
        request: { case: "requestPut", value: { key: bytes(`k${String(from + at)}`) } } as const,
      }));
    for (let from = 0; from < 1280; from += 128) await client.kv.txn({ success: success(from) });
    assert.deepEqual(await partsOf({ key: bytes("k"), rangeEnd: bytes("l") }), [10, 1000, 270]);
    for (let at = 0; at < 6; at += 1) await put(client, `large${String(at)}`, "x".repeat(200_000));
    assert.deepEqual(await partsOf({ key: bytes("l"), rangeEnd: bytes("m") }), [2, 2, 2]);
  });
});

describe("a request of etcd that is to be written to the log", () => {
  it("is refused if it is larger than requests may be, whatever it does", async (t) => {
    const { kv, member } = await openEtcd(t, "fast", { maxRequestBytes: 1000 });
    const key = new Uint8Array(1000);
    const words = "InvalidArgument: etcdserver: request is too large";
    assert.equal(await refusalOf(kv.put({ key })), words);
    assert.equal(await refusalOf(kv.deleteRange({ key })), words);
    assert.equal(await refusalOf(kv.txn({ compare: [{ key }] })), words);
    assert.equal(member.proposals, 0);
    assert.equal((await kv.range({ key })).count, 0n);
  });
});
