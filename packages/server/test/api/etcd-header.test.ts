/** What plain gRPC and the header of a request have to do with how etcd's clients are served. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytes, openEtcd, refusalOf, ways } from "./etcd-client.ts";

const needed = { headers: { hasleader: "true" } };
const noLeader = "Unavailable: etcdserver: no leader";

async function first<Item>(items: AsyncIterable<Item>): Promise<Item | undefined> {
  for await (const item of items) return item;
  return undefined;
}

async function* one<Item>(item: Item): AsyncGenerator<Item> {
  yield await Promise.resolve(item);
}

for (const way of ways)
  describe(`a request that asks for a leader, ${way}`, () => {
    it("is refused at once by a member that knows none", async (t) => {
      const { kv, watch, lease, member } = await openEtcd(t, way);
      const range = { key: bytes("a"), serializable: true };
      assert.equal((await kv.range(range, needed)).count, 0n);
      member.leader = "";
      assert.equal((await kv.range(range)).count, 0n);
      assert.equal((await kv.range(range, { headers: { hasleader: "false" } })).count, 0n);
      assert.equal(await refusalOf(kv.range(range, needed)), noLeader);
      const create = { requestUnion: { case: "createRequest", value: { key: bytes("a") } } } as const;
      assert.equal(await refusalOf(first(watch.watch(one(create), needed))), noLeader);
      assert.equal(await refusalOf(first(lease.leaseKeepAlive(one({ ID: 1n }), needed))), noLeader);
    });

    it("opens a stream where there is one", async (t) => {
      const { watch } = await openEtcd(t, way);
      const create = { requestUnion: { case: "createRequest", value: { key: bytes("a") } } } as const;
      assert.equal((await first(watch.watch(one(create), needed)))?.created, true);
    });
  });

describe("a message that is larger than gRPC reads", () => {
  it("is refused as by every server in Go, with both sizes", async (t) => {
    const { kv } = await openEtcd(t, "fast", { maxRequestBytes: 1000 });
    const put = (length: number) => kv.put({ key: bytes("a"), value: new Uint8Array(length) });
    assert.equal(await refusalOf(put(2000)), "InvalidArgument: etcdserver: request is too large");
    assert.equal(
      await refusalOf(put(600_000)),
      "ResourceExhausted: grpc: received message larger than max (600007 vs. 525288)",
    );
    assert.equal((await kv.put({ key: bytes("a"), value: bytes("1") })).header?.revision, 2n);
  });
});
