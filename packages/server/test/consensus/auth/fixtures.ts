/** Changes of who may do what. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AuthCommandSchema, PermissionKind } from "@dkv/protocol/dkv/peer/v1/command";
import type { Caller, Operation } from "@dkv/store";
import type { Running } from "../cluster.ts";

type Change = NonNullable<MessageInitShape<typeof AuthCommandSchema>["change"]>;

const changing = (change: Change): Operation => ({
  case: "auth",
  value: create(AuthCommandSchema, { change }),
});

export const addUser = (name: string): Operation => changing({ case: "addUser", value: { name } });
export const addRole = (name: string): Operation => changing({ case: "addRole", value: { name } });
export const grantRole = (user: string, role: string): Operation =>
  changing({ case: "grantRole", value: { user, role } });
export const grantWrite = (role: string, key: string): Operation =>
  changing({
    case: "grantPermission",
    value: { role, kind: PermissionKind.WRITE, key: Buffer.from(key) },
  });
export const revokePermission = (role: string, key: string): Operation =>
  changing({ case: "revokePermission", value: { role, key: Buffer.from(key) } });
export const enable: Operation = changing({ case: "enable", value: {} });
export const disable: Operation = changing({ case: "disable", value: {} });

/** Root, and one more user, who may write "own". */
export const rules: readonly Operation[] = [
  addUser("root"),
  grantRole("root", "root"),
  addUser("one"),
  addRole("some"),
  grantRole("one", "some"),
  grantWrite("some", "own"),
  enable,
];

/** As one is who is looked at through that member just now. */
export const caller = ({ replica }: Running, user: string): Caller => ({
  user,
  authRevision: replica.auth.revision,
});

/** By root, through that member. */
export async function change(member: Running, ...list: readonly Operation[]): Promise<void> {
  for (const one of list) {
    await member.replica.readBarrier();
    await member.replica.propose(one, undefined, caller(member, "root"));
  }
}
