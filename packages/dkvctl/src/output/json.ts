/**
 * The `json` form: one object on one line, so that many can be read as lines.
 *
 * Names of clusters and members are text, because they use all 64 bits and many readers of JSON do not.
 */
import { isUtf8 } from "node:buffer";

import type { DeleteResult, GetResult, Header, MembersResult, SetResult } from "@dkv/client";

/** `value` is there if the value is text; `value_base64` always. */
export function getJson(
  key: string,
  { value, createRevision, modRevision, version, header }: GetResult,
): string {
  const bytes = Buffer.from(value);
  return line({
    key,
    ...(isUtf8(bytes) && { value: bytes.toString("utf8") }),
    value_base64: bytes.toString("base64"),
    create_revision: createRevision,
    mod_revision: modRevision,
    version,
    header: headerJson(header),
  });
}

export function setJson(key: string, { header }: SetResult): string {
  return line({ key, header: headerJson(header) });
}

export function deleteJson(key: string, { deleted, header }: DeleteResult): string {
  return line({ key, deleted, header: headerJson(header) });
}

export function membersJson({ members, header }: MembersResult): string {
  const rows = members.map(({ id, memberId, raftAddress, rpcAddress, isLeader, isReachable }) => ({
    id,
    member_id: memberId.toString(),
    raft_address: raftAddress,
    rpc_address: rpcAddress ?? "",
    is_leader: isLeader,
    is_reachable: isReachable,
  }));
  return line({ members: rows, header: headerJson(header) });
}

function headerJson({ clusterId, memberId, leader, term, appliedIndex, revision }: Header): object {
  return {
    cluster_id: clusterId.toString(),
    member_id: memberId.toString(),
    leader: leader ?? "",
    term,
    applied_index: appliedIndex,
    revision,
  };
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;
