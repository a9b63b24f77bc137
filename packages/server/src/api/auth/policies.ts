/**
 * Who may call a method at all, while there are rules. What a method does with keys, leases and members is
 * looked at besides, where it is done: `guarded-member.ts`. These tables name every method of a service, or do
 * not compile.
 */
import type { DescService } from "@bufbuild/protobuf";
import { DkvAPI, LeaseAPI, MembershipAPI } from "@dkv/protocol/dkv/v1/dkv";
import { MaintenanceAPI } from "@dkv/protocol/dkv/v1/maintenance";
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from "@dkv/protocol/etcdserverpb/rpc";
import { Election } from "@dkv/protocol/v3electionpb/v3election";
import { Lock } from "@dkv/protocol/v3lockpb/v3lock";

/** "user": whoever is known. */
export type Policy = "anybody" | "user" | "root";

type Policies<Service extends DescService> = Readonly<Record<keyof Service["method"], Policy>>;

const keys: Policies<typeof KV> = {
  range: "user",
  rangeStream: "user",
  put: "user",
  deleteRange: "user",
  txn: "user",
  compact: "root",
};

const leases: Policies<typeof Lease> = {
  leaseGrant: "user",
  leaseRevoke: "user",
  leaseKeepAlive: "user",
  leaseTimeToLive: "user",
  leaseLeases: "user",
};

const members: Policies<typeof Cluster> = {
  memberAdd: "root",
  memberRemove: "root",
  memberUpdate: "root",
  memberList: "user",
  memberPromote: "root",
};

/** Who only looks at alarms need not be root; who raises them does: that is up to the member. */
const maintenance: Policies<typeof Maintenance> = {
  alarm: "user",
  // Clients find out by it who leads, and what a member can do.
  status: "user",
  defragment: "root",
  hash: "root",
  hashKV: "root",
  snapshot: "root",
  moveLeader: "root",
  downgrade: "root",
};

/** Users may look at themselves and at their roles, which is up to the service. */
const rules: Policies<typeof Auth> = {
  authEnable: "root",
  authDisable: "root",
  authStatus: "root",
  authenticate: "anybody",
  userAdd: "root",
  userGet: "user",
  userList: "root",
  userDelete: "root",
  userChangePassword: "root",
  userGrantRole: "root",
  userRevokeRole: "root",
  roleAdd: "root",
  roleGet: "user",
  roleList: "root",
  roleDelete: "root",
  roleGrantPermission: "root",
  roleRevokePermission: "root",
};

/** What they do with keys and leases is done as their user does it. */
const elections: Policies<typeof Election> = {
  campaign: "user",
  proclaim: "user",
  leader: "user",
  observe: "user",
  resign: "user",
};

const dkvKeys: Policies<typeof DkvAPI> = {
  get: "user",
  set: "user",
  delete: "user",
  list: "user",
  watch: "user",
  txn: "user",
  compact: "root",
  pipe: "user",
};

const dkvLeases: Policies<typeof LeaseAPI> = {
  grantLease: "user",
  keepLeaseAlive: "user",
  revokeLease: "user",
  getLease: "user",
  listLeases: "user",
};

const dkvMembers: Policies<typeof MembershipAPI> = {
  getServers: "user",
  joinServer: "root",
  leaveServer: "root",
  promoteServer: "root",
  replaceServer: "root",
  updateServer: "root",
  moveLeader: "root",
};

/** A status tells no more than etcd's. */
const dkvMaintenance: Policies<typeof MaintenanceAPI> = { check: "root", snapshot: "root", status: "user" };

const resources: Readonly<Record<string, Policy>> = {
  "/get": "user",
  "/set": "user",
  "/delete": "user",
  "/join": "root",
  "/leave": "root",
};

const policies: ReadonlyMap<string, Policy> = new Map([
  ...Object.entries(resources),
  ...pathsOf(KV, keys),
  ...pathsOf(Watch, { watch: "user" }),
  ...pathsOf(Lease, leases),
  ...pathsOf(Cluster, members),
  ...pathsOf(Maintenance, maintenance),
  ...pathsOf(Auth, rules),
  ...pathsOf(Lock, { lock: "user", unlock: "user" }),
  ...pathsOf(Election, elections),
  ...pathsOf(DkvAPI, dkvKeys),
  ...pathsOf(LeaseAPI, dkvLeases),
  ...pathsOf(MembershipAPI, dkvMembers),
  ...pathsOf(MaintenanceAPI, dkvMaintenance),
]);

/** @param path of a method or of a resource; what is not known is for root alone */
export const policyOf = (path: string): Policy => policies.get(path) ?? "root";

function pathsOf<Service extends DescService>(
  service: Service,
  table: Policies<Service>,
): readonly (readonly [string, Policy])[] {
  const byName: Readonly<Record<string, Policy>> = table;
  return service.methods.map(
    ({ name, localName }) => [`/${service.typeName}/${name}`, byName[localName] ?? "root"] as const,
  );
}
