/** The commands about who may do what. */
import type { Keys, Permission, PermissionKind } from "@dkv/client";

import { Exit, exitCodes, usageError } from "../exit.ts";
import { line } from "../output/json.ts";
import { escapeCell, table, valueCell } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

export async function enable({ client }: CommandContext): Promise<void> {
  await client.auth.enable();
}

export async function disable({ client }: CommandContext): Promise<void> {
  await client.auth.disable();
}

export async function status({ client, output = "value", io }: CommandContext): Promise<void> {
  const { isEnabled, revision } = await client.auth.status();
  switch (output) {
    case "value":
      return io.print(isEnabled ? "enabled\n" : "disabled\n");
    case "json":
      return io.print(line({ is_enabled: isEnabled, auth_revision: revision }));
    case "table":
      return io.print(
        table(
          [
            ["Enabled", "Revision"],
            [`${isEnabled}`, `${revision}`],
          ],
          io,
        ),
      );
  }
}

/** @param isKnownByCertificate has no password */
export async function addUser(
  { client, io }: CommandContext,
  { user, isKnownByCertificate }: { readonly user: string; readonly isKnownByCertificate: boolean },
): Promise<void> {
  const [name, given] = nameAndPassword(user);
  if (isKnownByCertificate && given !== undefined)
    throw usageError("--no-password is given with a password: leave out one of them");
  const password = isKnownByCertificate ? undefined : (given ?? (await newPassword(io, name)));
  if (password === "") throw emptyPassword(", or --no-password");
  await client.auth.addUser(name, password);
}

export async function changePassword({ client, io }: CommandContext, user: string): Promise<void> {
  const [name, given] = nameAndPassword(user);
  const password = given ?? (await newPassword(io, name));
  if (password === "") throw emptyPassword();
  await client.auth.changePassword(name, password);
}

/** As in `--user`: the name ends at the first colon. */
function nameAndPassword(user: string): readonly [name: string, password: string | undefined] {
  const at = user.indexOf(":");
  return at < 0 ? [user, undefined] : [user.slice(0, at), user.slice(at + 1)];
}

const emptyPassword = (otherwise = ""): Exit =>
  usageError(`the password is empty: write NAME:PASSWORD, or the password on standard input${otherwise}`);

/** Asked for twice, for nobody sees what is typed; or the first line of standard input. */
async function newPassword(io: CommandContext["io"], name: string): Promise<string> {
  if (!io.readsFromTerminal) return io.readSecret("");
  const password = await io.readSecret(`New password of ${name}: `);
  if (password === (await io.readSecret("Once more: "))) return password;
  throw new Exit(exitCodes.failure, "the two passwords differ: nothing was changed");
}

export async function printNames(
  { output = "value", io }: CommandContext,
  title: "users" | "roles",
  names: readonly string[],
): Promise<void> {
  switch (output) {
    case "value":
      return io.print(names.map((name) => `${escapeCell(name)}\n`).join(""));
    case "json":
      return io.print(line({ [title]: names }));
    case "table":
      return io.print(
        table([[title === "users" ? "User" : "Role"], ...names.map((name) => [escapeCell(name)])], io),
      );
  }
}

/** Prints what a role permits: by default a line for each, with bounds as bytes where they are no text. */
export async function showRole(
  { client, output = "value", io }: CommandContext,
  role: string,
): Promise<void> {
  const permissions = await client.auth.permissionsOf(role);
  switch (output) {
    case "value":
      return io.print(
        permissions
          .map(
            (one) =>
              `${rowOf(one)
                .filter((cell) => cell !== "")
                .join(" ")}\n`,
          )
          .join(""),
      );
    case "json": {
      const all = permissions.map(({ kind, from, before }) => ({
        kind,
        from: base64(from),
        ...(before !== undefined && { before: base64(before) }),
      }));
      return io.print(line({ role, permissions: all }));
    }
    case "table":
      return io.print(table([["Kind", "From", "Before"], ...permissions.map(rowOf)], io));
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** One key has no end to tell, nor have all from one on. */
function rowOf({ kind, from, before }: Permission): readonly [string, string, string] {
  const isOne = before !== undefined && Buffer.compare(before, Buffer.concat([from, Buffer.of(0)])) === 0;
  const isToTheEnd = before === undefined;
  return [kind, valueCell(from), isOne ? "" : isToTheEnd ? "(end)" : valueCell(before)];
}

const kinds = ["read", "write", "readwrite"] as const satisfies readonly PermissionKind[];

export function kindOf(text: string): PermissionKind {
  const kind = kinds.find((one) => one === text);
  if (kind === undefined) throw usageError(`KIND is "${text}": write one of ${kinds.join(", ")}`);
  return kind;
}

export interface Named {
  readonly key: string;
  readonly end: string | undefined;
  readonly isPrefix: boolean;
  readonly isFromKey: boolean;
}

/** Which keys are meant. @throws Exit if that cannot be said */
export function keysOf({ key, end, isPrefix, isFromKey }: Named): Keys {
  if ([end !== undefined, isPrefix, isFromKey].filter(Boolean).length > 1)
    throw usageError("END, --prefix and --from-key exclude each other: give the one that is meant");
  if (isPrefix) return { prefix: key };
  if (isFromKey) return { from: key };
  if (key === "")
    throw usageError("KEY is empty: a key has at least one byte; --prefix with it means all keys");
  if (end === undefined) return { key };
  if (Buffer.compare(Buffer.from(end), Buffer.from(key)) <= 0)
    throw usageError("END is not behind KEY: no key is between them");
  return { from: key, before: end };
}
