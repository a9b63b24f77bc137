import { deleteJson } from "../output/json.ts";
import { escapeCell, table } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

/** Deletes a key. Prints nothing by default, and a key that was not there is no error. */
export async function deleteKey(
  { client, output = "value", io }: CommandContext,
  { key }: { readonly key: string },
): Promise<void> {
  const result = await client.delete(key);
  switch (output) {
    case "value":
      return undefined;
    case "json":
      return io.print(deleteJson(key, result));
    case "table": {
      const row = [escapeCell(key), `${result.deleted}`, `${result.header.revision}`];
      return io.print(table([["Key", "Deleted", "Revision"], row], io));
    }
  }
}
