/** Under which paths the methods of etcd are called with JSON. */
import type { DescMethod } from "@bufbuild/protobuf";
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from "@dkv/protocol/etcdserverpb/rpc";
import { Election } from "@dkv/protocol/v3electionpb/v3election";
import { Lock } from "@dkv/protocol/v3lockpb/v3lock";

/** What stands before the path: now, and in earlier versions of etcd. */
const roots = ["/v3/", "/v3beta/", "/v3alpha/"] as const;

const methods: Readonly<Record<string, DescMethod>> = {
  "kv/range": KV.method.range,
  "kv/put": KV.method.put,
  "kv/deleterange": KV.method.deleteRange,
  "kv/txn": KV.method.txn,
  "kv/compaction": KV.method.compact,
  watch: Watch.method.watch,
  "lease/grant": Lease.method.leaseGrant,
  "lease/revoke": Lease.method.leaseRevoke,
  "kv/lease/revoke": Lease.method.leaseRevoke,
  "lease/keepalive": Lease.method.leaseKeepAlive,
  "lease/timetolive": Lease.method.leaseTimeToLive,
  "kv/lease/timetolive": Lease.method.leaseTimeToLive,
  "lease/leases": Lease.method.leaseLeases,
  "kv/lease/leases": Lease.method.leaseLeases,
  "cluster/member/add": Cluster.method.memberAdd,
  "cluster/member/remove": Cluster.method.memberRemove,
  "cluster/member/update": Cluster.method.memberUpdate,
  "cluster/member/list": Cluster.method.memberList,
  "cluster/member/promote": Cluster.method.memberPromote,
  "maintenance/alarm": Maintenance.method.alarm,
  "maintenance/status": Maintenance.method.status,
  "maintenance/defragment": Maintenance.method.defragment,
  "maintenance/hash": Maintenance.method.hash,
  "maintenance/hashkv": Maintenance.method.hashKV,
  "maintenance/snapshot": Maintenance.method.snapshot,
  "maintenance/transfer-leadership": Maintenance.method.moveLeader,
  "maintenance/downgrade": Maintenance.method.downgrade,
  "auth/enable": Auth.method.authEnable,
  "auth/disable": Auth.method.authDisable,
  "auth/status": Auth.method.authStatus,
  "auth/authenticate": Auth.method.authenticate,
  "auth/user/add": Auth.method.userAdd,
  "auth/user/get": Auth.method.userGet,
  "auth/user/list": Auth.method.userList,
  "auth/user/delete": Auth.method.userDelete,
  "auth/user/changepw": Auth.method.userChangePassword,
  "auth/user/grant": Auth.method.userGrantRole,
  "auth/user/revoke": Auth.method.userRevokeRole,
  "auth/role/add": Auth.method.roleAdd,
  "auth/role/get": Auth.method.roleGet,
  "auth/role/list": Auth.method.roleList,
  "auth/role/delete": Auth.method.roleDelete,
  "auth/role/grant": Auth.method.roleGrantPermission,
  "auth/role/revoke": Auth.method.roleRevokePermission,
  "lock/lock": Lock.method.lock,
  "lock/unlock": Lock.method.unlock,
  "election/campaign": Election.method.campaign,
  "election/proclaim": Election.method.proclaim,
  "election/leader": Election.method.leader,
  "election/observe": Election.method.observe,
  "election/resign": Election.method.resign,
};

/** Every path, under each of the roots, with its method. */
export const gatewayMethods: ReadonlyMap<string, DescMethod> = new Map(
  roots.flatMap((root) => Object.entries(methods).map(([path, method]) => [root + path, method] as const)),
);

/** The method at a path; `nothing` if there is none below a path of ours, undefined for all other paths. */
export function methodAt(path: string): DescMethod | "nothing" | undefined {
  if (!roots.some((root) => path.startsWith(root))) return undefined;
  return gatewayMethods.get(path) ?? "nothing";
}
