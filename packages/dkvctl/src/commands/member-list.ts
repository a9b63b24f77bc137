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
      return io.print(table([columns.map(([title]) => title), ...rowsOf(result.members)], io));
  }
}

type Cell = (member: Member, members: readonly Member[]) => string;

/** Scripts cut by position: the first four stay the first, and what is new comes last. Unknown is empty. */
const columns: readonly (readonly [title: string, cell: Cell])[] = [
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
  ["Member ID", ({ memberId }) => idText(memberId)],
  ["Alarm", ({ isCorrupt }) => (isCorrupt ? "corrupt" : "")],
  ["Replaces", ({ replaces }, members) => (replaces === undefined ? "" : replacedText(replaces, members))],
];

/** As the logs of members have it. */
const idText = (memberId: bigint): string => memberId.toString(16).padStart(16, "0");

/** Its name, and where two have that name also which of them. */
function replacedText(memberId: bigint, members: readonly Member[]): string {
  const name = members.find((member) => member.memberId === memberId)?.id;
  if (name === undefined) return idText(memberId);
  const isUnique = members.filter(({ id }) => id === name).length === 1;
  return isUnique ? name : `${name} (${idText(memberId)})`;
}

const rowsOf = (members: readonly Member[]): readonly (readonly string[])[] =>
  members.map((member) => columns.map(([, cell]) => escapeCell(cell(member, members))));
