/** Elections, as clients of etcd have their member hold them. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { LeaderResponse } from "@dkv/protocol/v3electionpb/v3election";
import { bytes, openEtcd, refusalOf, textOf, ways } from "./etcd-client.ts";

const name = bytes("e");

async function withLeases(t: TestContext, way: (typeof ways)[number], ...ids: readonly bigint[]) {
  const client = await openEtcd(t, way);
  for (const ID of ids) await client.lease.leaseGrant({ TTL: 60n, ID });
  const stand = (lease: bigint, value: string, options = {}) =>
    client.election.campaign({ name, lease, value: bytes(value) }, options);
  return { ...client, stand };
}

/** Resolves once that lease stands in the election. */
async function stands({ kv }: Pick<Awaited<ReturnType<typeof withLeases>>, "kv">, lease: bigint, count = 1n) {
  const key = bytes(`e/${lease.toString(16)}`);
  while ((await kv.range({ key })).count !== count) await new Promise(setImmediate);
}

for (const way of ways)
  describe(`an election of etcd, ${way}`, () => {
    it("is won at once where nobody stands, and the winner may proclaim something else", async (t) => {
      const { stand, election, kv } = await withLeases(t, way, 171n);
      const { leader, header } = await stand(171n, "one");
      assert.deepEqual(
        [
          header?.revision,
          textOf(leader?.name ?? name),
          textOf(leader?.key ?? name),
          leader?.rev,
          leader?.lease,
        ],
        [2n, "e", "e/ab", 2n, 171n],
      );
      const same = await stand(171n, "one");
      assert.deepEqual([same.leader?.rev, same.header?.revision], [2n, 2n]);
      assert.equal((await kv.range({ key: name })).header?.revision, 2n, "nothing is proclaimed");
      const again = await stand(171n, "two");
      assert.deepEqual([again.leader?.rev, again.header?.revision], [2n, 2n]);
      const now = await election.leader({ name });
      assert.deepEqual(
        [textOf(now.kv?.value ?? name), now.kv?.lease, now.header?.revision],
        ["two", 171n, 3n],
      );
      assert.equal((await election.proclaim({ leader, value: bytes("three") })).header?.revision, 4n);
      const [kept] = (await kv.range({ key: bytes("e/ab") })).kvs;
      assert.deepEqual([textOf(kept?.value ?? name), kept?.createRevision, kept?.lease], ["three", 2n, 171n]);
      assert.equal((await election.resign({ leader })).header?.revision, 5n);
      assert.equal(await refusalOf(election.leader({ name })), "Unknown: election: no leader");
    });

    it("is won by the next when the winner resigns", async (t) => {
      const { stand, election, kv } = await withLeases(t, way, 1n, 2n);
      const { leader } = await stand(1n, "one");
      const next = stand(2n, "two");
      await stands({ kv }, 2n);
      await election.resign({ leader });
      const won = await next;
      assert.deepEqual([won.leader?.rev, won.header?.revision], [3n, 3n]);
      assert.equal(textOf((await election.leader({ name })).kv?.value ?? name), "two");
    });

    it("has nobody stand any more who goes, whose time is up, or whose lease ends", async (t) => {
      const { stand, kv, lease } = await withLeases(t, way, 1n, 2n);
      await stand(1n, "one");
      const gone = new AbortController();
      const leaving = refusalOf(stand(2n, "two", { signal: gone.signal }));
      await stands({ kv }, 2n);
      gone.abort();
      assert.match(await leaving, /^Canceled/);
      await stands({ kv }, 2n, 0n);
      const late = refusalOf(stand(2n, "two", { timeoutMs: 300 }));
      await stands({ kv }, 2n);
      assert.match(await late, /^DeadlineExceeded/);
      await stands({ kv }, 2n, 0n);
      const losing = refusalOf(stand(2n, "two"));
      await stands({ kv }, 2n);
      await lease.leaseRevoke({ ID: 2n });
      assert.equal(await losing, "Unknown: election: not leader");
    });

    it("is told in the words of etcd what cannot be", async (t) => {
      const { stand, election } = await withLeases(t, way, 1n);
      assert.equal(await refusalOf(stand(5n, "x")), "Unknown: etcdserver: requested lease not found");
      assert.equal(await refusalOf(election.proclaim({})), 'Unknown: "leader" field must be provided');
      assert.equal(await refusalOf(election.resign({})), 'Unknown: "leader" field must be provided');
      const { leader } = await stand(1n, "one");
      const another = { name, key: leader?.key ?? name, rev: 1n, lease: 1n };
      assert.equal(await refusalOf(election.proclaim({ leader: another })), "Unknown: election: not leader");
      assert.equal((await election.resign({ leader: another })).header?.revision, 2n);
      assert.equal((await election.leader({ name })).kv?.lease, 1n);
    });

    it("is observed from whoever is elected on, with all that is proclaimed", async (t) => {
      const { stand, election, kv } = await withLeases(t, way, 1n, 2n);
      const seen: [string, bigint | undefined][] = [];
      const told: (() => void)[] = [];
      const until = (count: number): Promise<void> =>
        new Promise((resolve) => {
          told[count - 1] = resolve;
          if (seen.length >= count) resolve();
        });
      const gone = new AbortController();
      const note = ({ kv: elected, header }: LeaderResponse): void => {
        seen.push([textOf(elected?.value ?? name), header?.revision]);
        told[seen.length - 1]?.();
      };
      const observing = (async () => {
        for await (const answer of election.observe({ name }, { signal: gone.signal })) note(answer);
      })();
      const { leader } = await stand(1n, "one");
      await until(1);
      await election.proclaim({ leader, value: bytes("uno") });
      await until(2);
      const next = stand(2n, "two");
      await stands({ kv }, 2n);
      await election.resign({ leader });
      const won = await next;
      await until(3);
      gone.abort();
      assert.match(await refusalOf(observing), /^Canceled/);
      assert.equal(won.leader?.lease, 2n);
      assert.deepEqual(seen, [
        ["one", 2n],
        ["uno", 3n],
        ["two", 5n],
      ]);
    });
  });

describe("an election of etcd", () => {
  /** What is observed, with a member whose watches come to look when it is let go. */
  async function observed(t: TestContext) {
    const client = await withLeases(t, "fast", 1n, 2n);
    const { watches } = client.member;
    const wake = watches.wake.bind(watches);
    const ending = new AbortController();
    t.after(() => {
      ending.abort();
    });
    const answers = client.election.observe({ name }, { signal: ending.signal })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value, done } = await answers.next();
      assert.equal(done, false, "it is observed any further");
      return textOf(value.kv?.value ?? name);
    };
    const hold = async (calls: number): Promise<void> => {
      while (watches.calls < calls) await new Promise(setImmediate);
      watches.wake = () => undefined;
    };
    /** What has happened since is given up. */
    const giveUp = async (): Promise<void> => {
      await client.kv.put({ key: bytes("other") });
      await client.kv.compact({ revision: BigInt(client.member.store.revision) });
      watches.wake = wake;
      wake();
    };
    return { ...client, next, hold, giveUp };
  }

  it("is observed further when its winner's end is in a history that was given up", async (t) => {
    const { stand, election, next, hold, giveUp } = await observed(t);
    const { leader } = await stand(1n, "one");
    assert.equal(await next(), "one");
    const following = next();
    await hold(1);
    await election.resign({ leader });
    await stand(2n, "two");
    await giveUp();
    assert.equal(await following, "two");
  });

  it("is observed further when somebody has stood in a history that was given up", async (t) => {
    const { stand, next, hold, giveUp } = await observed(t);
    const first = next();
    await hold(1);
    await stand(1n, "one");
    await giveUp();
    assert.equal(await first, "one");
  });
});
