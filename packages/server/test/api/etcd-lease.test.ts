/** Leases, as clients of etcd ask for them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AlarmRequest_AlarmAction as AlarmAction, AlarmType } from "@dkv/protocol/etcdserverpb/rpc";
import { bytes, openEtcd, refusalOf, textOf, ways } from "./etcd-client.ts";

async function* these<Item>(...items: readonly Item[]): AsyncGenerator<Item> {
  for (const item of items) yield await Promise.resolve(item);
}

for (const way of ways) {
  describe(`Lease of etcd, ${way}`, () => {
    it("grants, tells of, and revokes leases, with the keys that go with them", async (t) => {
      const { lease, kv, member } = await openEtcd(t, way);
      const granted = await lease.leaseGrant({ TTL: 60n, ID: -7n });
      assert.deepEqual([granted.ID, granted.TTL, granted.header?.revision], [-7n, 60n, 1n]);
      const short = await lease.leaseGrant({ TTL: -1n });
      assert.equal(short.TTL, member.leases.leastTtl);
      assert.equal(short.ID > 0n, true);
      await kv.put({ key: bytes("b\xff"), lease: -7n });
      await kv.put({ key: bytes("a"), lease: -7n });
      const time = await lease.leaseTimeToLive({ ID: -7n, keys: true });
      assert.deepEqual([time.grantedTTL, time.keys.map(textOf)], [60n, ["a", "b\xff"]]);
      const { leases } = await lease.leaseLeases({});
      assert.deepEqual(
        leases.map(({ ID }) => ID),
        [-7n, short.ID],
      );
      const revoked = await lease.leaseRevoke({ ID: -7n });
      assert.equal(revoked.header?.revision, 4n);
      assert.equal((await kv.range({ key: bytes("a") })).count, 0n);
    });

    it("says of a lease that there is not what etcd says", async (t) => {
      const { lease } = await openEtcd(t, way);
      await lease.leaseGrant({ TTL: 60n, ID: 7n });
      const time = await lease.leaseTimeToLive({ ID: 4711n, keys: true });
      assert.deepEqual([time.ID, time.TTL, time.grantedTTL, time.keys.length], [4711n, -1n, 0n, 0]);
      for (const [call, words] of [
        [
          () => lease.leaseGrant({ TTL: 60n, ID: 7n }),
          "FailedPrecondition: etcdserver: lease already exists",
        ],
        [() => lease.leaseGrant({ TTL: 9_000_000_001n }), "OutOfRange: etcdserver: too large lease TTL"],
        [() => lease.leaseRevoke({ ID: 8n }), "NotFound: etcdserver: requested lease not found"],
        [() => lease.leaseRevoke({}), "NotFound: etcdserver: requested lease not found"],
      ] as const)
        assert.equal(await refusalOf(call()), words);
    });

    it("says that there is no space before it says anything against a lease", async (t) => {
      const { lease, maintenance } = await openEtcd(t, way);
      await maintenance.alarm({ action: AlarmAction.ACTIVATE, memberID: 2n, alarm: AlarmType.NOSPACE });
      assert.equal(
        await refusalOf(lease.leaseGrant({ TTL: 9_000_000_001n })),
        "ResourceExhausted: etcdserver: mvcc: database space exceeded",
      );
    });

    it("keeps leases alive in the order in which they are named, and answers 0 for one that is gone", async (t) => {
      const { lease } = await openEtcd(t, way);
      await lease.leaseGrant({ TTL: 60n, ID: 1n });
      await lease.leaseGrant({ TTL: 70n, ID: 2n });
      const answers: unknown[] = [];
      for await (const { ID, TTL, header } of lease.leaseKeepAlive(these({ ID: 2n }, { ID: 3n }, { ID: 1n })))
        answers.push([ID, TTL, header?.revision]);
      assert.deepEqual(answers, [
        [2n, 70n, 1n],
        [3n, 0n, 1n],
        [1n, 60n, 1n],
      ]);
    });
  });
}

describe("LeaseKeepAlive", () => {
  it("answers more requests than it takes at once", async (t) => {
    const { lease } = await openEtcd(t);
    await lease.leaseGrant({ TTL: 60n, ID: 1n });
    const count = 3000;
    let answers = 0;
    const requests = Array.from({ length: count }, () => ({ ID: 1n }));
    for await (const { TTL } of lease.leaseKeepAlive(these(...requests))) if (TTL === 60n) answers += 1;
    assert.equal(answers, count);
  });

  it("answers with the revision from before the lease was given its time", async (t) => {
    const { lease, kv, member } = await openEtcd(t);
    await lease.leaseGrant({ TTL: 60n, ID: 1n });
    const ask = member.leases.keepAlive.bind(member.leases);
    member.leases.keepAlive = async (id) => {
      await kv.put({ key: bytes("a") });
      return ask(id);
    };
    for await (const { header } of lease.leaseKeepAlive(these({ ID: 1n })))
      assert.equal(header?.revision, 1n);
    assert.equal(member.store.revision, 2);
  });

  it("ends with the error of a member that cannot say", async (t) => {
    const { lease, member } = await openEtcd(t);
    member.failure = new TypeError("a fault");
    const call = lease.leaseKeepAlive(these({ ID: 1n }));
    assert.match(await refusalOf(call[Symbol.asyncIterator]().next()), /^Internal: internal error/);
  });
});
