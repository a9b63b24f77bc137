/** What there is to know of a call without asking. */
import type { PlainMessage } from "../message/plain.ts";

const reads: readonly string[] = [
  "KV/Range",
  "Lease/LeaseTimeToLive",
  "Lease/LeaseLeases",
  "Cluster/MemberList",
  "Maintenance/Status",
  "Maintenance/HashKV",
  "Auth/UserGet",
  "Auth/UserList",
  "Auth/RoleGet",
  "Auth/RoleList",
];

/** Whether it changes nothing, so that it may be asked together with others. */
export function isRead(call: string, request: PlainMessage): boolean {
  return reads.includes(call) || (call === "Maintenance/Alarm" && (request["action"] ?? 0) === 0);
}

const anywhere: readonly string[] = [
  "Range",
  "Put",
  "DeleteRange",
  "Txn",
  "Compact",
  "LeaseGrant",
  "LeaseRevoke",
];

/**
 * Whether the member that is asked may answer from what it knows itself: also the time of a lease, which the
 * leader tells it, stands beside a revision of its own.
 */
export function isLocal(call: string, request: PlainMessage): boolean {
  const method = call.slice(call.indexOf("/") + 1);
  return !anywhere.includes(method) || mentionsSerializable(request);
}

/** A transaction may have it in any of its operations, and etcd may take one without any for such a read. */
function mentionsSerializable(request: PlainMessage): boolean {
  return JSON.stringify(request).includes('"serializable":true') || isOnlyComparing(request);
}

function isOnlyComparing({ compare, success, failure }: PlainMessage): boolean {
  return compare !== undefined && success === undefined && failure === undefined;
}
