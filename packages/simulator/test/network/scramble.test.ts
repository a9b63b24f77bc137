import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PeerFrame, PeerTransport } from "@dkv/server/transport/peer-transport";
import { type Message, nodeId } from "@dkv/raft";
import { scrambled } from "../../src/network/scramble.ts";
import { Life } from "../../src/world/life.ts";
import { Trace } from "../../src/world/trace.ts";
import { World } from "../../src/world/world.ts";

const frameOf = (number: number): PeerFrame =>
  ({ messages: [{ number }], forwarded: [{ number }] }) as unknown as PeerFrame;

describe("a network that is worse than TCP", () => {
  it("sends messages late, twice or not at all, and everything else at once and once", async () => {
    const world = new World(new Trace());
    world.current = new Life(world, 0);
    const sent: PeerFrame[] = [];
    const real = { send: (_: unknown, frame: PeerFrame) => sent.push(frame) > 0 } as unknown as PeerTransport;
    const transport = scrambled(real, { chance: 1, world, seed: 1, machine: 0 });
    const fates = new Map<string, number>();
    for (let number = 0; number < 300; number += 1) {
      sent.length = 0;
      assert.equal(transport.send(nodeId(2n), frameOf(number)), true);
      assert.deepEqual(
        sent.map(({ forwarded }) => forwarded),
        [frameOf(number).forwarded],
      );
      const now = messagesIn(sent);
      await world.run(world.nowUs + 1_000_000);
      const later = messagesIn(sent) - now;
      const fate = now === 0 ? (later === 0 ? "lost" : "late") : later === 0 ? "as it was" : "twice";
      fates.set(fate, (fates.get(fate) ?? 0) + 1);
    }
    assert.deepEqual(new Set(fates.keys()), new Set(["late", "lost", "twice"]));
    for (const fate of ["late", "lost", "twice"] as const)
      assert.equal(world.probes.count(`messages ${fate}`), fates.get(fate));
  });
});

const messagesIn = (frames: readonly PeerFrame[]): number =>
  frames.flatMap(({ messages }): readonly Message[] => messages).length;
