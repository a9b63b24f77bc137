/**
 * The version before, which made directories of format 2: where it said something of itself there was no
 * incarnation and no history, and a field that is absent reads as 0. What others said of theirs, it did not
 * read.
 */
import type { PeerTransport } from "@dkv/server/transport/peer-transport";
import { overridden } from "../network/scramble.ts";

export const noIncarnation = 0n;
export const noHistory = 0n;

/** The same transport, but it knows of nobody's incarnation, and so turns nobody away for it. */
export function deaf(transport: PeerTransport): PeerTransport {
  return {
    ...overridden(transport, (to, frame) => transport.send(to, frame)),
    setPeers: (peers, removed) => {
      transport.setPeers(
        peers.map((peer) => ({ ...peer, incarnation: noIncarnation })),
        removed,
      );
    },
    peers: () => transport.peers().map((peer) => ({ ...peer, incarnation: noIncarnation })),
  };
}
