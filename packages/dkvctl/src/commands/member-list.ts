import type { Member } from "@dkv/client";

import { formatDuration } from "../duration.ts";
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
    case "table":
      return io.print(table([columns.map(([title]) => title), ...result.members.map(row)], io));
  }
}

/** Scripts cut by position: the first four stay the first, and what is new comes last. Unknown is empty. */
const columns: readonly (readonly [title: string, cell: (member: Member) => string])[] = [
  ["ID", ({ id }) => id],
  ["Raft Address", ({ raftAddress }) => raftAddress],
  ["RPC Address", ({ rpcAddress = "" }) => rpcAddress],
  ["Leader", ({ isLeader }) => `${isLeader}`],
  ["Reachable", ({ isReachable }) => `${isReachable}`],
  ["Role", ({ isLearner }) => (isLearner ? "learner" : "voter")],
  ["Match", ({ match = "" }) => `${match}`],
  ["Lag", ({ lag = "" }) => `${lag}`],
  ["Version", ({ version = "" }) => version],
  ["Last Contact", ({ lastContactMs }) => (lastContactMs === undefined ? "" : formatDuration(lastContactMs))],
  // As the logs of members have it.
  ["Member ID", ({ memberId }) => memberId.toString(16).padStart(16, "0")],
  ["Alarm", ({ isCorrupt }) => (isCorrupt ? "corrupt" : "")],
];

const row = (member: Member): readonly string[] => columns.map(([, cell]) => escapeCell(cell(member)));
