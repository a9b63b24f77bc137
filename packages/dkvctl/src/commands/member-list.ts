import { membersJson } from "../output/json.ts";
import { escapeCell, table } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

/**
 * Prints the members as the one that answers knows them: by default as a table, as `value` their names alone.
 */
export async function memberList({ client, output = "table", io }: CommandContext): Promise<void> {
  const result = await client.members();
  switch (output) {
    case "value":
      return io.print(result.members.map(({ id }) => `${escapeCell(id)}\n`).join(""));
    case "json":
      return io.print(membersJson(result));
    case "table": {
      const rows = result.members.map(({ id, raftAddress, rpcAddress = "", isLeader, isReachable }) => [
        escapeCell(id),
        escapeCell(raftAddress),
        escapeCell(rpcAddress),
        `${isLeader}`,
        `${isReachable}`,
      ]);
      return io.print(table([["ID", "Raft Address", "RPC Address", "Leader", "Reachable"], ...rows]));
    }
  }
}
