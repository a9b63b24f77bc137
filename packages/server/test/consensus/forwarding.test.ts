import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { noEntry } from "@dkv/raft";
import { commandId } from "@dkv/store";
import type { PeerFrame } from "../../src/transport/peer-transport.ts";
import { cluster, read, set, until } from "./cluster.ts";
import type { Passage } from "./loopback.ts";

const isForward = ({ frame }: Passage): boolean => frame.forwarded.length > 0;
const isRefusal = ({ frame }: Passage): boolean => frame.refusals.length > 0;
const isHeartbeat = ({ frame }: Passage): boolean => frame.messages.some(({ kind }) => kind === "heartbeat");
const asksForVotes = ({ frame }: Passage): boolean =>
  frame.messages.some(({ kind }) => kind === "preVoteRequest" || kind === "voteRequest");
const bringsCommands = ({ frame }: Passage): boolean =>
  frame.messages.some(
    (message) =>
      message.kind === "appendEntries" && message.entries.some((entry) => entry.kind === "command"),
  );
const forwardedBytes = ({ forwarded }: PeerFrame): number =>
  forwarded.reduce((sum, command) => sum + command.length, 0);

describe("a write that a follower hands to its leader", () => {
  it("is applied once, though an earlier leader refuses it late", async (test) => {
    const { network, leaderAndFollower } = await cluster(test, 3);
    const { leader: old, follower } = await leaderAndFollower();
    const isOld = ({ from, to }: Passage): boolean => from === old.id || to === old.id;

    // The old leader falls asleep before it has read the command, and another one puts it in its log.
    network.rule = (passage) => (isForward(passage) ? "hold" : "pass");
    const answer = follower.replica.propose(set("key", "value"));
    await until("it is handed on", () => network.held.length === 1);
    const [late] = network.held.splice(0);
    assert.ok(late !== undefined);
    network.rule = (passage) => (isOld(passage) ? "lose" : bringsCommands(passage) ? "hold" : "pass");
    await until("the next leader has it in its log", () => network.held.some(bringsCommands));

    // It wakes, hears of the new term, reads the command and refuses it.
    let refusals = 0;
    let heartbeats = 0;
    network.rule = (passage) => {
      if (isRefusal(passage)) refusals += 1;
      if (isHeartbeat(passage) && refusals > 0) heartbeats += 1;
      return bringsCommands(passage) ? "hold" : "pass";
    };
    await until(
      "the old leader follows",
      () => old.replica.status().term > late.frame.forwardedTerm && old.replica.status().leader !== "",
    );
    network.deliver(late);
    await until("it refuses, and some ticks pass", () => heartbeats > 10);
    assert.equal(refusals, 1);

    network.rule = () => "pass";
    network.release();
    assert.equal((await answer).kind, "set");
    // Whatever the follower made of the refusal, it has done so before this.
    await follower.replica.propose(set("another", "value"));
    assert.equal(await read(follower, "key"), "value");
    assert.equal(follower.replica.get(Buffer.from("key"))?.version, 1);
  });

  it("is applied once, though its leader reads it late, when it leads a later term and has it already", async (test) => {
    const { network, leaderAndFollower } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    network.rule = (passage) => (isForward(passage) ? "hold" : "pass");
    const answer = follower.replica.propose(set("key", "value"));
    await until("it is handed on", () => network.held.length === 1);
    const [late] = network.held.splice(0);
    assert.ok(late !== undefined);

    // It loses leadership and wins it again, for nobody else may campaign.
    network.rule = (passage) => (asksForVotes(passage) && passage.from !== leader.id ? "lose" : "pass");
    network.cut(leader.id);
    await until("it leads no more", () => leader.node.status().role !== "leader");
    network.heal(leader.id);
    assert.equal((await answer).kind, "set");
    assert.ok(leader.node.status().term > late.frame.forwardedTerm, "in the later term");

    network.deliver(late);
    // It reads this one after the late one.
    await follower.replica.propose(set("another", "value"));
    assert.equal(await read(follower, "key"), "value");
    assert.equal(follower.replica.get(Buffer.from("key"))?.version, 1);
  });

  it("does not mind a refusal that is meant for an earlier run of its process", async (test) => {
    const { network, leaderAndFollower } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    network.rule = (passage) => (isForward(passage) ? "hold" : "pass");
    const answer = follower.replica.propose(set("key", "value"));
    await until("it is handed on", () => network.held.length === 1);
    const { forwarded, forwardedTerm: term } = network.held[0]?.frame ?? assert.fail();
    const { sequence } = commandId(forwarded[0] ?? assert.fail());
    const refusal = { proposer: follower.proposer ^ 1n, sequence, term, code: "overloaded" } as const;
    network.deliver({
      from: leader.id,
      to: follower.id,
      frame: {
        messages: [],
        forwarded: [],
        forwardedTerm: noEntry.term,
        refusals: [refusal],
        requests: [],
        responses: [],
      },
    });
    network.rule = () => "pass";
    network.release();
    assert.equal((await answer).kind, "set");
  });

  it("is handed on once a tick, and not all the time, while the leader refuses it", async (test) => {
    const { network, leaderAndFollower } = await cluster(test, 3, { electionTimeoutMs: 200 });
    const { leader, follower } = await leaderAndFollower();
    let frames = 0;
    network.rule = (passage) => {
      if (isForward(passage)) frames += 1;
      return passage.frame.messages.some(({ kind }) => kind === "timeoutNow") ? "lose" : "pass";
    };
    const stopped = leader.replica.stop();
    await new Promise((resolve) => setImmediate(resolve));
    // Leadership is being handed over, which takes no proposals and comes to nothing.
    assert.equal((await follower.replica.propose(set("key", "value"))).kind, "set");
    await stopped;
    assert.ok(frames > 1 && frames < 100, `${String(frames)} frames for one write`);
  });

  it("is handed on again when the link did not take it", async (test) => {
    const { network, leaderAndFollower } = await cluster(test, 3);
    const { follower } = await leaderAndFollower();
    let refused = 0;
    network.rule = (passage) => {
      if (!isForward(passage) || refused === 3) return "pass";
      refused += 1;
      return "refuse";
    };
    assert.equal((await follower.replica.propose(set("key", "value"))).kind, "set");
    assert.equal(refused, 3);
  });

  it("shares a frame with others as far as they fit", async (test) => {
    const proposingLimits = { turnBytes: 50_000, heldBytes: 1 << 20 };
    const { network, leaderAndFollower } = await cluster(test, 3, { proposingLimits });
    const { follower } = await leaderAndFollower();
    const sizes: number[] = [];
    network.rule = ({ frame }) => {
      if (frame.forwarded.length > 0) sizes.push(forwardedBytes(frame));
      return "pass";
    };
    const writes = [...Array.from({ length: 40 }, () => 10_000), 100_000, 10_000].map((size, number) =>
      follower.replica.propose(set(`key-${String(number)}`, "v".repeat(size))),
    );
    await Promise.all(writes);
    const large = sizes.filter((size) => size > 50_000);
    assert.ok(large.length === 1 && (large[0] ?? 0) < 101_000, `frames of ${sizes.join(", ")} bytes`);
    assert.ok(sizes.length >= 11);
  });

  it("is refused while its leader holds as much as it may until its disk is free", async (test) => {
    const proposingLimits = { turnBytes: 1 << 18, heldBytes: 5_000 };
    const { network, leaderAndFollower } = await cluster(test, 3, { proposingLimits });
    const { leader, follower } = await leaderAndFollower();
    let forwards = 0;
    network.rule = (passage) => {
      if (isForward(passage)) forwards += 1;
      return "pass";
    };
    leader.disk.log.hang();
    const own = leader.replica.propose(set("key", "value"));
    const first = follower.replica.propose(set("first", "v".repeat(4_000)));
    await until("it is handed on", () => forwards === 1);
    await assert.rejects(follower.replica.propose(set("second", "v".repeat(2_000))), { code: "overloaded" });
    leader.disk.log.heal();
    for (const write of [own, first]) assert.equal((await write).kind, "set");
    assert.equal((await follower.replica.propose(set("second", "v".repeat(2_000)))).kind, "set");
  });
});
