import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LogIndex, logIndex, type NodeId, nodeId, noEntry, type RaftNode } from "@dkv/raft";
import type { SnapshotHeader } from "@dkv/snapshot";
import { pino } from "pino";
import { Guard } from "../../src/consensus/guard.ts";
import { Snapshots } from "../../src/consensus/snapshots.ts";
import { systemClock } from "../../src/platform/clock.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { PeerTransport } from "../../src/transport/peer-transport.ts";
import type { SnapshotOutcome } from "../../src/transport/snapshot/snapshot.ts";

const [a, b, learner] = [nodeId(1n), nodeId(2n), nodeId(3n)];

interface Sent {
  readonly to: NodeId;
  readonly end: (outcome: SnapshotOutcome) => Promise<void>;
}

interface Line {
  readonly level: string;
  readonly msg: string;
}

/** Snapshots of a leader whose followers all need one, on a network and with a clock that the test moves. */
function sending() {
  const world = {
    role: "leader",
    last: 100,
    isCorrupt: false,
    reserve: "enough" as "enough" | "low",
    match: 0,
    hears: true,
    states: new Map([a, b, learner].map((id) => [id, "snapshot"])),
  };
  const sent: Sent[] = [];
  const timers = new Set<{ readonly delayMs: number; readonly callback: () => void }>();
  const failed: NodeId[] = [];
  const lines: Line[] = [];
  const node = {
    status: () => ({
      role: world.role,
      term: noEntry.term,
      commit: noEntry.index,
      followers: new Map(
        [...world.states].map(([id, state]) => [
          id,
          { state, match: world.match, recentlyActive: world.hears },
        ]),
      ),
      configuration: { configuration: { learners: [learner] } },
    }),
    snapshotFailed: (to: NodeId) => failed.push(to),
  } as unknown as RaftNode;
  const storage = {
    identity: { clusterId: 1n },
    takeSnapshot: () => ({
      header: { last: { index: logIndex(world.last) } },
      close: () => Promise.resolve(),
    }),
  } as unknown as Storage;
  const transport = {
    sendSnapshot: (to: NodeId) => {
      const { promise: done, resolve } = Promise.withResolvers<SnapshotOutcome>();
      const end = async (outcome: SnapshotOutcome): Promise<void> => {
        resolve(outcome);
        await turn();
      };
      sent.push({ to, end });
      return { done, cancel: () => void end({ kind: "cancelled" }) };
    },
  } as unknown as PeerTransport;
  const clock = {
    ...systemClock,
    after: (delayMs: number, callback: () => void) => {
      const timer = { delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const logger = pino(
    { level: "info", formatters: { level: (level) => ({ level }) } },
    { write: (line: string) => lines.push(JSON.parse(line) as Line) },
  );
  const snapshots = new Snapshots({
    node,
    storage,
    transport,
    clock,
    logger,
    guard: new Guard((error) => assert.fail(String(error))),
    schedule: () => undefined,
    nameOf: String,
    reserve: {
      get state() {
        return world.reserve;
      },
    },
    isCorrupt: () => world.isCorrupt,
  });
  /** Lets the only timer pass, and returns its milliseconds. */
  const wait = (): number => {
    assert.equal(timers.size, 1);
    const [timer] = timers;
    assert.ok(timer !== undefined);
    timers.delete(timer);
    timer.callback();
    return timer.delayMs;
  };
  return { world, snapshots, sent, timers, failed, lines, wait };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const refused = (reason: string): SnapshotOutcome => ({ kind: "refused", reason });
const complete: SnapshotOutcome = { kind: "complete" };

async function end(sent: readonly Sent[], outcome: SnapshotOutcome): Promise<void> {
  await (sent.at(-1) ?? assert.fail("nothing is sent")).end(outcome);
}

describe("a leader whose followers need snapshots", () => {
  it("sends them to voters before learners, one at a time", async () => {
    const { snapshots, sent } = sending();
    snapshots.needed([learner, a, b]);
    for (const count of [1, 2, 3]) {
      assert.equal(sent.length, count);
      await end(sent, complete);
    }
    assert.deepEqual(
      sent.map(({ to }) => to),
      [a, b, learner],
    );
  });

  it("tries again soon, and much later where the same refusal is to be expected", async () => {
    const { world, snapshots, sent, failed, wait } = sending();
    world.reserve = "low";
    const header = { clusterId: 1n, last: { index: logIndex(1) } } as SnapshotHeader;
    const offer = await snapshots.offered(b, noEntry.term, header);
    assert.ok(offer.kind === "refuse");
    const waits: number[] = [];
    for (const reason of ["one", "another", "another", offer.reason, "one"]) {
      snapshots.needed([a]);
      await end(sent, refused(reason));
      waits.push(wait());
    }
    assert.deepEqual(waits, [1000, 1000, 30_000, 30_000, 1000]);
    assert.equal(failed.length, 5);
  });

  it("says that it could not send one, and not that it did", async () => {
    const { snapshots, sent, lines } = sending();
    snapshots.needed([a]);
    await end(sent, { kind: "gaveUp", reason: "the network fails" });
    const line = lines.at(-1) ?? assert.fail();
    assert.equal(line.level, "warn");
    assert.match(line.msg, /could not be sent/);
  });

  it("gives no transfer up because of what became of the one before", async () => {
    const { snapshots, sent, timers } = sending();
    snapshots.needed([a]);
    await end(sent, complete);
    assert.equal(timers.size, 1);
    snapshots.needed([a]);
    assert.equal(sent.length, 2);
    assert.equal(timers.size, 0);
  });

  it("keeps the log for each of those that are about to go on from a snapshot", async () => {
    const { world, snapshots, sent } = sending();
    const keepAfter = (): LogIndex | undefined => snapshots.keepAfter;
    snapshots.needed([a, b]);
    world.last = 200;
    await end(sent, complete);
    assert.equal(keepAfter(), 100);
    await end(sent, complete);
    assert.equal(keepAfter(), 100);
    assert.equal(keepAfter(), 100, "to read it changes nothing");
  });

  it("keeps the log for each that goes on from there, as long as it is heard", async () => {
    const { world, snapshots, sent } = sending();
    const keepAfter = (): LogIndex | undefined => snapshots.keepAfter;
    snapshots.needed([a]);
    await end(sent, complete);
    for (const id of world.states.keys()) world.states.set(id, "probe");
    assert.equal(keepAfter(), 100);
    world.states.set(a, "replicate");
    world.match = 150;
    assert.equal(keepAfter(), 150);
    world.hears = false;
    assert.equal(keepAfter(), undefined);
  });

  it("sends nothing once it leads no more", async () => {
    const { world, snapshots, sent, timers, lines } = sending();
    world.role = "follower";
    snapshots.needed([a]);
    await turn();
    assert.equal(sent.length + timers.size, 0);
    assert.ok(lines.every(({ level }) => level === "info"));
  });

  it("gives a state that is wrong to nobody, and says so once", async () => {
    const { world, snapshots, sent, lines, wait } = sending();
    world.isCorrupt = true;
    for (let round = 0; round < 3; round += 1) {
      snapshots.needed([a]);
      await turn();
      wait();
    }
    assert.equal(sent.length, 0);
    assert.equal(lines.filter(({ level }) => level === "warn").length, 1);
  });
});
