/** Rows of the membership table with what is known of each here and now. */
import { type Configuration, majoritySize, type NodeId } from "@dkv/raft";
import type { PeerStatus } from "../../transport/peer-transport.ts";
import type { MemberView } from "../member.ts";
import type { Followers } from "../requests/request-bodies.ts";
import type { MembershipTable, TableMember } from "./table.ts";

export interface ViewContext {
  readonly self: NodeId;
  /** Where clients reach this member; empty if unknown. */
  readonly clientAddress: string;
  /** The same, as URLs, if it was told some. */
  readonly clientUrls?: readonly string[] | undefined;
  /** Of the dkv that runs here. */
  readonly version: string;
  /** Where clients reach members, by name, as the flags say. */
  readonly advertisedNodes: ReadonlyMap<string, string>;
  readonly electionTimeoutMs: number;
}

/** What is known at the moment. */
export interface ViewFacts {
  readonly leader: NodeId | undefined;
  readonly peers: readonly PeerStatus[];
  readonly nowMs: number;
  /** What the leader says of all logs, if it was asked and answered. */
  readonly followers: Followers | undefined;
  /** Whether there is an alarm about the member. */
  readonly isCorrupt: (id: NodeId) => boolean;
}

export function viewsOf(
  table: MembershipTable,
  context: ViewContext,
  facts: ViewFacts,
): readonly MemberView[] {
  return table.members.map((member) => ({
    ...identityOf(member, context, facts),
    ...contactOf(member, context, facts),
    ...progressOf(member, facts),
    isCorrupt: facts.isCorrupt(member.id),
    // Whoever has left in the meantime has no place to take.
    replaces: member.replaces === undefined ? undefined : table.byId(member.replaces)?.id,
  }));
}

function identityOf(
  member: TableMember,
  { self, clientAddress, clientUrls = [], advertisedNodes }: ViewContext,
  facts: ViewFacts,
) {
  const { id, name, peerAddress, role } = member;
  const peer = facts.peers.find((one) => one.id === id);
  const told = id === self ? clientAddress : (peer?.clientAddress ?? "");
  const isLeader = id === facts.leader;
  const urls = id === self ? clientUrls : (peer?.clientUrls ?? []);
  const said = { clientAddress: advertisedNodes.get(name) ?? told, clientUrls: urls };
  return { id, name, peerAddress, role, isLeader, ...said };
}

function contactOf(member: TableMember, { self, version, electionTimeoutMs }: ViewContext, facts: ViewFacts) {
  if (member.id === self) return { isReachable: true, lastContactMs: 0, version };
  const peer = facts.peers.find((one) => one.id === member.id);
  const lastContactMs = peer?.lastHeardMs === undefined ? undefined : facts.nowMs - peer.lastHeardMs;
  const isReachable = lastContactMs !== undefined && lastContactMs < electionTimeoutMs;
  return { isReachable, lastContactMs, version: peer?.version ?? "" };
}

function progressOf({ id }: TableMember, { followers }: ViewFacts): Pick<MemberView, "match" | "lag"> {
  const match = followers?.matches.get(id);
  if (followers === undefined || match === undefined) return { match: undefined, lag: undefined };
  return { match, lag: Math.max(0, followers.lastIndex - match) };
}

/** For whoever waits for a majority in vain. While one group of voters takes over from another, both are needed. */
export function describeQuorum(
  views: readonly Pick<MemberView, "id" | "isReachable">[],
  { voters, outgoing }: Pick<Configuration, "voters" | "outgoing">,
): string {
  const describe = (group: readonly NodeId[]): string => {
    const answering = views.filter(({ id, isReachable }) => isReachable && group.includes(id)).length;
    return `${String(answering)} of ${String(group.length)} members answer, ${String(majoritySize(group))} are needed`;
  };
  if (outgoing.length === 0) return describe(voters);
  return `${describe(voters)}; of those before them ${describe(outgoing)}`;
}
