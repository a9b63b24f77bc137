import { headerJson, line } from "../output/json.ts";
import { table } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

/** Gives up history. Prints nothing by default. */
export async function compact(
  { client, output = "value", io }: CommandContext,
  { revision, wait }: { readonly revision: number; readonly wait: boolean },
): Promise<void> {
  const { header } = await client.compact(revision, { wait });
  switch (output) {
    case "value":
      return undefined;
    case "json":
      return io.print(line({ compact_revision: revision, header: headerJson(header) }));
    case "table":
      return io.print(
        table(
          [
            ["Compact Revision", "Revision"],
            [`${revision}`, `${header.revision}`],
          ],
          io,
        ),
      );
  }
}
