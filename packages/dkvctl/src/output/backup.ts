import type { BackupSummary } from "../backup/summary.ts";
import type { CommandContext } from "../commands/command.ts";
import { backupJson } from "./json.ts";
import { escapeCell, table } from "./table.ts";

/** Prints what is in a backup: by default as a table, as `value` its revision alone. */
export async function printBackup(
  { output = "table", io }: Pick<CommandContext, "output" | "io">,
  summary: BackupSummary,
): Promise<void> {
  const { header, keys, bytes, members } = summary;
  switch (output) {
    case "value":
      return io.print(`${header.revision}\n`);
    case "json":
      return io.print(backupJson(summary));
    case "table": {
      const names = members.map(({ name }) => escapeCell(name)).join(", ");
      const row = [header.revision, header.last.index, header.last.term, keys, bytes].map(String);
      return io.print(
        table(
          [
            ["Revision", "Index", "Term", "Keys", "Bytes", "Members"],
            [...row, names],
          ],
          io,
        ),
      );
    }
  }
}
