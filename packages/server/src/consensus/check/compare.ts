/** What the hashes of several members say. Pure. */
import { jointVote, type LogIndex, type NodeId } from "@dkv/raft";
import type { CheckReport, MemberCheck } from "../member.ts";
import type { TableMember } from "../membership/table.ts";
import type { StateHash } from "./state-hashes.ts";

/** What a member said when it was asked for its hash, or why it is not known. */
export type HashAnswer =
  | ({ readonly kind: "hash" } & Pick<StateHash, "hash" | "revision">)
  | { readonly kind: "none"; readonly reason: string };

/** A member and its answer. */
export interface Asked {
  readonly member: TableMember;
  readonly answer: HashAnswer;
}

/** Who decides: while one group is being left, a majority of both. */
export interface Voters {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
}

/**
 * Holds all answers against what a majority of the voters has. Without one, those who answered against each
 * other.
 */
export function compareHashes(index: LogIndex, asked: readonly Asked[], groups: Voters): CheckReport {
  const hashes = new Map<NodeId, string>();
  for (const { member, answer } of asked) if (answer.kind === "hash") hashes.set(member.id, hex(answer.hash));
  const candidates = new Set(hashes.values());
  const isOfMajority = (hash: string): boolean =>
    jointVote(groups, (id) => hashes.get(id) === hash) === "won";
  const right = [...candidates].find(isOfMajority);
  const only = right ?? (candidates.size === 1 ? [...candidates][0] : undefined);
  const members = asked.map(({ member, answer }): MemberCheck => {
    const { id, name, role } = member;
    if (answer.kind === "none") return { id, name, role, verdict: "noAnswer", reason: answer.reason };
    const { hash, revision } = answer;
    return { id, name, role, verdict: hex(hash) === only ? "agrees" : "differs", hash, revision };
  });
  return { index, hasMajority: right !== undefined, members };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
