import { setJson } from "../output/json.ts";
import { escapeCell, table } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

/** Sets a key. Prints nothing by default: that it returns is the answer. */
export async function set(
  { client, output = "value", io }: CommandContext,
  request: { readonly key: string; readonly value: string },
): Promise<void> {
  const value = request.value === "-" ? await io.readInput() : request.value;
  const result = await client.set(request.key, value);
  switch (output) {
    case "value":
      return undefined;
    case "json":
      return io.print(setJson(request.key, result));
    case "table":
      return io.print(
        table(
          [
            ["Key", "Revision"],
            [escapeCell(request.key), `${result.header.revision}`],
          ],
          io,
        ),
      );
  }
}
