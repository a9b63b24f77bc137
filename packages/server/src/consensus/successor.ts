import type { NodeId, NodeStatus } from "@dkv/raft";
import type { PeerTransport } from "../transport/peer-transport.ts";

/**
 * Who should lead after this node: the voter nearest to its log, among those who are fit for it, heard of
 * lately and not known to be gone. Undefined if there is none, or this node does not lead.
 */
export function successorIn(
  { followers, configuration }: NodeStatus,
  transport: Pick<PeerTransport, "peers">,
  isFit: (id: NodeId) => boolean = () => true,
): NodeId | undefined {
  const { voters } = configuration.configuration;
  const gone = transport.peers().filter(({ isConnected }) => !isConnected);
  let best: NodeId | undefined;
  let bestMatch = -1;
  for (const [id, { match, recentlyActive }] of followers) {
    if (!voters.includes(id) || !isFit(id)) continue;
    if (!recentlyActive || match <= bestMatch || gone.some((peer) => peer.id === id)) continue;
    best = id;
    bestMatch = match;
  }
  return best;
}
