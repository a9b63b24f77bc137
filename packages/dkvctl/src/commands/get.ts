import { Exit, exitCodes } from "../exit.ts";
import { getJson } from "../output/json.ts";
import { escapeCell, table, valueCell } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

/** Prints a key's value: its bytes as they are and a line feed, or with `-o value` the bytes alone. */
export async function get(
  { client, output, io }: CommandContext,
  request: { readonly key: string; readonly serializable: boolean },
): Promise<void> {
  const { key, serializable } = request;
  const found = await client.get(key, { serializable });
  if (found === undefined) throw new Exit(exitCodes.keyNotFound, `key not found: ${escapeCell(key)}`);
  switch (output) {
    case undefined:
      return io.print(Buffer.concat([found.value, Buffer.from("\n")]));
    case "value":
      return io.print(found.value);
    case "json":
      return io.print(getJson(key, found));
    case "table": {
      const { createRevision, modRevision, version } = found;
      const row = [
        escapeCell(key),
        valueCell(found.value),
        `${createRevision}`,
        `${modRevision}`,
        `${version}`,
      ];
      return io.print(table([["Key", "Value", "Create Revision", "Mod Revision", "Version"], row], io));
    }
  }
}
