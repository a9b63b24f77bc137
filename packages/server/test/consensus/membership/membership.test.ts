import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pino } from "pino";
import { Autopilot } from "../../../src/consensus/membership/autopilot.ts";
import { Membership, type MembershipDeps } from "../../../src/consensus/membership/membership.ts";
import { MembershipTable } from "../../../src/consensus/membership/table.ts";
import { DkvError } from "../../../src/platform/errors.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { cluster, type Running, set, until } from "../cluster.ts";

const join = { kind: "join", name: "new", peerAddress: "localhost:9" } as const;

const isUnknown = (error: unknown): boolean => error instanceof DkvError && error.code === "outcomeUnknown";

/** Over a member's own core, with waits and time as a test wants them. */
function membershipOf({ node }: Running, deps: Deps): Membership {
  const { id: memberId } = node.status();
  return new Membership({
    node,
    identity: { clusterId: 1n, memberId, name: "m", incarnation: memberId },
    driver: {
      until: deps.until,
      withNode: (work) => work(node),
    },
    requests: { ask: () => assert.fail("it leads") },
    transport: deps.transport ?? { peers: () => [] },
    clock: deps.clock,
    random: systemRandom,
    electionTimeoutMs: 100,
  });
}

interface Deps extends Pick<MembershipDeps, "clock">, Partial<Pick<MembershipDeps, "transport">> {
  readonly until: MembershipDeps["driver"]["until"];
}

describe("a change of the members", () => {
  it("waits no longer than it may, however often it waits", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3);
    const { leader } = await leaderAndFollower();
    let nowMs = 0;
    const waits: number[] = [];
    const membership = membershipOf(leader, {
      clock: { ...systemClock, nowMs: () => nowMs },
      until: (condition, withinMs) => {
        waits.push(withinMs);
        nowMs += 400;
        return Promise.resolve(condition());
      },
    });
    await assert.rejects(membership.change(join, 600), isUnknown);
    assert.deepEqual(waits, [600, 200]);
  });

  it("is not done when another leader has replaced its entry", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    let nowMs = 0;
    const isReplaced = async (): Promise<void> => {
      const { index } = leader.node.status().configuration;
      assert.ok(index > 0, "it has appended the entry");
      await follower.replica.propose(set("key", "value"));
      await follower.replica.propose(set("key", "value"));
      network.heal(leader.id);
      await until("it has what replaced the entry", () => leader.node.status().commit >= index);
    };
    let waits = 0;
    const membership = membershipOf(leader, {
      clock: { ...systemClock, nowMs: () => nowMs },
      until: async (condition) => {
        waits += 1;
        if (waits === 2) {
          await isReplaced();
          nowMs = 1000;
        }
        return condition();
      },
    });
    network.cut(leader.id);
    await assert.rejects(membership.change(join, 1000), isUnknown);
    // The next leader may have noted other things.
    for (const { node } of members)
      assert.equal(new MembershipTable(node.configuration.configuration).named(join.name), undefined);
  });
});

describe("a leader that was paused for long", () => {
  it("removes nobody whom it has heard before", async (test) => {
    const { leaderAndFollower, network, members } = await cluster(test, 4);
    const { leader } = await leaderAndFollower();
    const others = members.filter((member) => member !== leader);
    const isHeard = ({ id }: Running): boolean =>
      leader.node.status().followers.get(id)?.recentlyActive === true;
    await until("all are heard", () => others.every(isHeard));
    let pausedMs = 0;
    let look = (): void => undefined;
    const clock = {
      ...systemClock,
      nowMs: () => systemClock.nowMs() + pausedMs,
      every: (_: number, callback: () => void) => {
        look = callback;
        return () => undefined;
      },
    };
    const transport = network.port(leader.id);
    const membership = membershipOf(leader, { clock, transport, until: () => Promise.resolve(true) });
    transport.setPeers(membership.table.members, new Set());
    const options = { autoPromote: false, cleanupAfterMs: 1000 };
    const logger = pino({ level: "silent" });
    new Autopilot(options, { membership, transport, clock, logger, leads: () => true }).start();
    look();
    pausedMs = 10_000;
    look();
    assert.equal(leader.node.status().configuration.configuration.voters.length, 4);
  });
});
