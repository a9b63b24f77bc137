/**
 * A network that is worse than TCP: messages of Raft come late, twice, in another order, or never. Raft bears
 * it (Raft §2), so it has to. What else a frame carries is promised to arrive in order and once, and does.
 */
import type { PeerFrame, PeerTransport } from "@dkv/server/transport/peer-transport";
import type { Message, NodeId } from "@dkv/raft";
import { Prng } from "../world/random.ts";
import type { World } from "../world/world.ts";

export interface ScrambleDeps {
  /** Of a frame's messages to take another way. */
  readonly chance: number;
  readonly world: World;
  readonly seed: number;
  readonly machine: number;
}

const longestDelayUs = 300_000;

export function scrambled(
  transport: PeerTransport,
  { chance, world, seed, machine }: ScrambleDeps,
): PeerTransport {
  if (chance === 0) return transport;
  const random = new Prng(seed, `scramble ${String(machine)} ${String(world.nowUs)}`);
  const life = world.current;
  const later = (to: NodeId, messages: readonly Message[]): void => {
    life?.after(random.below(longestDelayUs), "socket", () => {
      transport.send(to, { ...emptyFrame, messages });
    });
  };
  return overridden(transport, (to, frame) => {
    if (frame.messages.length === 0 || !random.chance(chance)) return transport.send(to, frame);
    const fate = random.pick(["late", "twice", "lost"] as const);
    world.probes.reached(`messages ${fate}`);
    if (fate !== "lost") later(to, frame.messages);
    if (fate !== "twice") return transport.send(to, { ...frame, messages: [] });
    transport.send(to, frame);
    return true;
  });
}

/** The same transport, but for how it sends. */
export function overridden(transport: PeerTransport, send: PeerTransport["send"]): PeerTransport {
  return {
    start: (events) => transport.start(events),
    setPeers: (peers, removed) => {
      transport.setPeers(peers, removed);
    },
    sendSnapshot: (to, snapshot, term) => transport.sendSnapshot(to, snapshot, term),
    peers: () => transport.peers(),
    close: () => transport.close(),
    send,
  };
}

const emptyFrame: Omit<PeerFrame, "messages"> = {
  forwarded: [],
  forwardedTerm: 0 as PeerFrame["forwardedTerm"],
  refusals: [],
  requests: [],
  responses: [],
};
