import { type DeleteOptions, type DeleteResult, op } from "@dkv/client";

import { usageError } from "../exit.ts";
import { headerJson, line } from "../output/json.ts";
import { keyJson } from "../output/key-json.ts";
import { keyCell } from "../output/keys.ts";
import { escapeCell, table, valueCell } from "../output/table.ts";
import type { CommandContext } from "./command.ts";
import { previousCell, printPrevious } from "./set.ts";

/**
 * Deletes a key. Prints nothing by default, and a key that was not there is no error. If asked for, prints
 * what the key was before.
 */
export async function deleteKey(
  { client, output = "value", io }: CommandContext,
  { key, options }: { readonly key: string; readonly options: DeleteOptions },
): Promise<void> {
  const result = await client.delete(key, options);
  switch (output) {
    case "value":
      return printPrevious(io, result.previous);
    case "json":
      return io.print(deleteJson(key, result));
    case "table": {
      const isAsked = options.returnPrevious === true;
      const titles = ["Key", "Deleted", "Revision", ...(isAsked ? ["Previous"] : [])];
      const row = [escapeCell(key), `${result.deleted}`, `${result.header.revision}`];
      return io.print(table([titles, isAsked ? [...row, previousCell(result.previous)] : row], io));
    }
  }
}

export interface DeletePrefixRequest {
  readonly prefix: string;
  /** Whether the prefix may be empty. */
  readonly isAll: boolean;
  readonly options: DeleteOptions;
}

/**
 * Deletes all keys that begin so, as one change, and prints how many there were. If asked for, prints what
 * they were before instead.
 */
export async function deletePrefix(
  { client, output, io }: CommandContext,
  { prefix, isAll, options: { ifVersion, ifModRevision, returnPrevious = false } }: DeletePrefixRequest,
): Promise<void> {
  if (ifVersion !== undefined || ifModRevision !== undefined)
    throw usageError("--if-version and --if-rev are about one key: leave them out, or leave out --prefix");
  if (prefix === "" && !isAll)
    throw usageError('an empty prefix deletes every key: if that is meant, write --prefix "" --all');
  const { results, header } = await client.txn({ success: [op.delete({ prefix }, { returnPrevious })] });
  const [result] = results;
  const { deleted, previous } = result?.kind === "delete" ? result : { deleted: 0, previous: [] };
  if (output === "json") {
    const before = returnPrevious ? { previous: previous.map((kv) => keyJson(kv)) } : {};
    return io.print(line({ prefix, deleted, ...before, header: headerJson(header) }));
  }
  if (returnPrevious && output !== "value") {
    const rows = previous.map((kv) => [keyCell(kv), valueCell(kv.value)]);
    return io.print(table([["Key", "Previous"], ...rows], io));
  }
  if (returnPrevious)
    return io.print(Buffer.concat(previous.flatMap(({ value }) => [value, Buffer.from("\n")])));
  if (output !== "table") return io.print(`${deleted}\n`);
  const row = [escapeCell(prefix), `${deleted}`, `${header.revision}`];
  return io.print(table([["Prefix", "Deleted", "Revision"], row], io));
}

function deleteJson(key: string, { deleted, previous, header }: DeleteResult): string {
  const before = previous === undefined ? {} : { previous: keyJson(previous) };
  return line({ key, deleted, ...before, header: headerJson(header) });
}
