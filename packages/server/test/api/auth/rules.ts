/** A member that has rules, with users whose passwords are their names, and what stands in headers for them. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { AuthCommandSchema, PermissionKind } from "@dkv/protocol/dkv/peer/v1/command";
import { rootName } from "@dkv/store";
import { createPasswords } from "../../../src/api/auth/passwords.ts";
import type { MemberInMemory } from "../member-in-memory.ts";

type Change = NonNullable<MessageInitShape<typeof AuthCommandSchema>["change"]>;

/** The cheapest that there is. */
export const passwords = createPasswords(4);

export const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(text, "latin1"));

/** As if root did it. */
export async function change(member: MemberInMemory, asked: Change): Promise<void> {
  const { isEnabled, revision: authRevision } = member.auth;
  const value = create(AuthCommandSchema, { change: asked });
  await member.apply({ case: "auth", value }, isEnabled ? { user: rootName, authRevision } : undefined);
}

export async function addUser(member: MemberInMemory, name: string): Promise<void> {
  const passwordHash = await passwords.hashOf(name);
  await change(member, { case: "addUser", value: { name, passwordHash, noPassword: false } });
}

export interface Allowed {
  readonly kind: "read" | "write" | "both";
  readonly key: string;
  readonly rangeEnd?: string;
}

const kinds = {
  read: PermissionKind.READ,
  write: PermissionKind.WRITE,
  both: PermissionKind.READWRITE,
} as const;

/** Gives a user a role of the same name that permits one thing more. */
export async function allow(
  member: MemberInMemory,
  user: string,
  { kind, key, rangeEnd = "" }: Allowed,
): Promise<void> {
  if (!member.auth.roles.has(user)) {
    await change(member, { case: "addRole", value: { name: user } });
    await change(member, { case: "grantRole", value: { user, role: user } });
  }
  const interval = { key: bytesOf(key), rangeEnd: bytesOf(rangeEnd) };
  await change(member, { case: "grantPermission", value: { role: user, kind: kinds[kind], ...interval } });
}

/** Users root, and `poor` who may do nothing yet. */
export async function enableRules(member: MemberInMemory): Promise<void> {
  await addUser(member, rootName);
  await change(member, { case: "addRole", value: { name: rootName } });
  await change(member, { case: "grantRole", value: { user: rootName, role: rootName } });
  await addUser(member, "poor");
  await change(member, { case: "enable", value: {} });
}

export const basic = (name: string, password = name): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`,
});
