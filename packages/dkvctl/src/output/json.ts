/**
 * The `json` form: one object on one line, so that many can be read as lines.
 *
 * Names of clusters and members are text, because they use all 64 bits and many readers of JSON do not.
 */
import type { BackupSummary } from "../backup/summary.ts";
import type { ChangeResult, CheckResult, Header, MembersResult } from "@dkv/client";

export function changeJson(id: string, { header }: ChangeResult): string {
  return line({ id, header: headerJson(header) });
}

/** Numbers that nobody could say are null, texts are empty. */
export function membersJson({ members, header }: MembersResult): string {
  const rows = members.map((member) => ({
    id: member.id,
    member_id: member.memberId.toString(),
    raft_address: member.raftAddress,
    rpc_address: member.rpcAddress ?? "",
    is_leader: member.isLeader,
    is_reachable: member.isReachable,
    is_learner: member.isLearner,
    match: member.match ?? null,
    lag: member.lag ?? null,
    version: member.version ?? "",
    last_contact_ms: member.lastContactMs ?? null,
    is_corrupt: member.isCorrupt,
    replaces: member.replaces?.toString() ?? "",
  }));
  return line({ members: rows, header: headerJson(header) });
}

export function checkJson({ index, members, hasMajority, header }: CheckResult): string {
  const rows = members.map(({ id, memberId, isLearner, verdict, hash, revision, reason }) => ({
    id,
    member_id: memberId.toString(),
    is_learner: isLearner,
    verdict: verdict === "noAnswer" ? "no_answer" : verdict,
    hash: hash === undefined ? "" : Buffer.from(hash).toString("hex"),
    revision: revision ?? null,
    reason: reason ?? "",
  }));
  return line({ index, has_majority: hasMajority, members: rows, header: headerJson(header) });
}

export function backupJson({ header, members, trailer, keys, bytes, sha256 }: BackupSummary): string {
  return line({
    cluster_id: header.clusterId.toString(),
    revision: header.revision,
    index: header.last.index,
    term: header.last.term,
    keys,
    records: trailer.records,
    bytes,
    sha256: sha256.toString("hex"),
    members: members.map(({ id, name, peerAddress, role }) => ({
      id: name,
      member_id: id.toString(),
      raft_address: peerAddress,
      is_learner: role === "learner",
    })),
  });
}

export function headerJson({ clusterId, memberId, leader, term, appliedIndex, revision }: Header): object {
  return {
    cluster_id: clusterId.toString(),
    member_id: memberId.toString(),
    leader: leader ?? "",
    term,
    applied_index: appliedIndex,
    revision,
  };
}

/** One object on a line of its own. */
export const line = (value: object): string => `${JSON.stringify(value)}\n`;
