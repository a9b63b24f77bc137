import type { NodeId, NodeStatus } from "@dkv/raft";

/**
 * Who should lead after this node: the follower nearest to its log, among those heard of lately. Undefined if
 * there is none, or this node does not lead.
 */
export function successorIn({ followers }: NodeStatus): NodeId | undefined {
  let best: NodeId | undefined;
  let bestMatch = -1;
  for (const [id, { match, recentlyActive }] of followers) {
    if (!recentlyActive || match <= bestMatch) continue;
    best = id;
    bestMatch = match;
  }
  return best;
}
