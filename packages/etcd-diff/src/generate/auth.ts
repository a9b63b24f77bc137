/** Users, roles and permissions: managed while they count for nothing, and for a while made to count. */
import type { PlainMessage } from "../message/plain.ts";
import type { Random } from "../random.ts";
import type { Step } from "../step.ts";
import { kvStep } from "./kv.ts";
import { leaseSteps } from "./lease.ts";
import { txnStep } from "./txn.ts";
import { fields, interval, key, sometimes } from "./words.ts";

const users = ["alice", "bob", "root"] as const;
const roles = ["reader", "writer", "root"] as const;
const passwords = ["secret", "other"] as const;

export function authSteps(random: Random): readonly Step[] {
  return random.chance(0.1) ? guarded(random) : [manage(random)];
}

function step(method: string, request: PlainMessage, user?: string): Step {
  return { call: `Auth/${method}`, request, ...(user === undefined ? {} : { user }) };
}

/** Somebody changes something, or looks at it. */
function manage(random: Random, user?: string): Step {
  const name = random.pick([...users, ""]);
  const role = random.pick([...roles, ""]);
  const password = random.pick(passwords);
  return random.weighted<() => Step>([
    [3, () => step("UserAdd", { name, password }, user)],
    [2, () => step("UserGet", { name }, user)],
    [1, () => step("UserList", {}, user)],
    [1, () => step("UserDelete", { name }, user)],
    [1, () => step("UserChangePassword", { name, password }, user)],
    [3, () => step("UserGrantRole", { user: name, role }, user)],
    [1, () => step("UserRevokeRole", { name, role }, user)],
    [3, () => step("RoleAdd", { name: role }, user)],
    [3, () => step("RoleGet", { role: role === "root" ? "reader" : role }, user)],
    [1, () => step("RoleList", {}, user)],
    [1, () => step("RoleDelete", { role }, user)],
    [6, () => step("RoleGrantPermission", { name: role, perm: permission(random) }, user)],
    [1, () => step("RoleRevokePermission", { role, ...interval(random) }, user)],
    [1, () => step("Authenticate", { name, password })],
    [1, () => step("AuthEnable", {}, user)],
  ])();
}

/**
 * Each key begins one interval, which has keys: etcd may keep two of one role that begin with the same key,
 * and then does not find the one that is granted again; and 3.4 takes one without keys, newer ones do not.
 */
function permission(random: Random): PlainMessage {
  const type = random.between(0, 2);
  const first = key(random) || "a";
  return fields({ permType: type === 0 ? undefined : type, key: first, range_end: ends[first] });
}

const ends: Readonly<Record<string, string | undefined>> = { a: "c", b: "\0", d: "e", "\0": "\0" };

/** From the moment that users are asked who they are, to the moment that they are not any more. */
function guarded(random: Random): readonly Step[] {
  const before = ["alice", "bob", "root"].flatMap((name) => [
    step("UserAdd", { name, password: "secret" }),
    step("UserChangePassword", { name, password: "secret" }),
  ]);
  const grants = [
    ...roles.map((name) => step("RoleAdd", { name })),
    step("UserGrantRole", { user: "root", role: "root" }),
    step("UserGrantRole", { user: "alice", role: "reader" }),
    step("UserGrantRole", { user: "bob", role: "writer" }),
    ...Array.from({ length: 4 }, () =>
      step("RoleGrantPermission", { name: random.pick(["reader", "writer"]), perm: permission(random) }),
    ),
  ];
  const tokens = users.map((name) => step("Authenticate", { name, password: "secret" }));
  const during = Array.from({ length: random.between(5, 40) }, () => duringIt(random));
  return [
    ...before,
    ...grants,
    step("AuthEnable", {}),
    ...tokens,
    ...during.flat(),
    // Whoever took the right away from it, root gets its token again.
    step("Authenticate", { name: "root", password: "secret" }),
    step("AuthDisable", {}, "root"),
  ];
}

/** What etcd 3.4 looks at of leases; the rest anybody may do there, and in newer ones who is permitted. */
const isGuarded: ReadonlySet<string> = new Set(["Lease/LeaseGrant", "Lease/LeaseRevoke"]);

/** Whether a transaction has another one in it, of which 3.4 does not ask whether it is permitted. */
const hasNested = (one: Step): boolean => JSON.stringify(one).includes('"request_txn"');

function duringIt(random: Random): readonly Step[] {
  const user = sometimes(random, 0.9, () => random.pick(["alice", "bob", "bob", "root"]));
  const as = (one: Step): Step => (user === undefined ? one : { ...one, user });
  const asRoot = (one: Step): Step => ({ ...one, user: "root" });
  const asWhoMay = (one: Step): Step => (hasNested(one) ? asRoot(one) : asSomebody(one));
  const asSomebody = (one: Step): Step => ({ ...one, user: user ?? "root" });
  return random.weighted<() => readonly Step[]>([
    [8, () => [asSomebody(kvStep(random))]],
    [1, () => [{ call: "KV/Range", request: { key: "a" } }]],
    [1, () => [{ call: "KV/Put", request: { key: "a", value: "1" } }]],
    [4, () => [asWhoMay(txnStep(random))]],
    [2, () => leaseSteps(random).map((one) => (isGuarded.has(one.call) ? asSomebody(one) : asRoot(one)))],
    [1, () => [asSomebody({ call: "Maintenance/Alarm", request: {} })]],
    [1, () => [asRoot({ call: "Maintenance/HashKV", request: {} })]],
    [1, () => [as(step("UserGet", { name: random.pick(users) }))]],
    [1, () => [as(step("RoleGet", { role: random.pick(["reader", "writer"]) }))]],
    [1, () => [step("Authenticate", { name: "alice", password: random.pick(passwords) })]],
    // Afterwards tokens from before do not count any more.
    [1, () => [step("RoleGrantPermission", { name: "writer", perm: permission(random) }, "root")]],
  ])();
}
