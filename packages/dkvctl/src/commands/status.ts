import type { StatusReport } from "@dkv/client";

import { Exit, exitCodes } from "../exit.ts";
import { headerJson, line } from "../output/json.ts";
import { escapeCell, table } from "../output/table.ts";
import type { CommandContext } from "./command.ts";

/**
 * Prints how each member is, as it says itself: by default as a table, as `value` the names of those that
 * answered. @throws Exit if one gave no answer
 */
export async function status({ client, output = "table", io }: CommandContext): Promise<void> {
  const reports = await client.statusOfAll();
  const silent = reports.filter((report) => report.status === undefined);
  switch (output) {
    case "value": {
      const answered = reports.filter((report) => report.status !== undefined);
      await io.print(answered.map(({ member }) => `${escapeCell(member.id)}\n`).join(""));
      break;
    }
    case "json":
      await io.print(line({ members: reports.map(reportJson) }));
      break;
    case "table": {
      const rows = reports.map((report) => columns.map(([, cell]) => escapeCell(cell(report))));
      await io.print(table([columns.map(([title]) => title), ...rows], io));
      break;
    }
  }
  if (silent.length === 0) return;
  const names = silent.map(({ member }) => escapeCell(member.id)).join(", ");
  throw new Exit(exitCodes.failure, `no answer from ${names}: ${silent[0]?.reason ?? ""}`);
}

type Cell = (report: StatusReport) => string;

/** Scripts cut by position: what is new comes last. Unknown is empty. */
const columns: readonly (readonly [title: string, cell: Cell])[] = [
  ["ID", ({ member }) => member.id],
  ["Role", roleOf],
  ["Version", ({ member, status: now }) => now?.version ?? member.version ?? ""],
  ["Revision", ({ status: now }) => `${now?.header.revision ?? ""}`],
  ["Compact Revision", ({ status: now }) => `${now?.compactRevision ?? ""}`],
  ["Data", ({ status: now }) => sizeText(now?.dataBytes)],
  ["Log", ({ status: now }) => sizeText(now?.logBytes)],
  ["Quota", ({ status: now }) => (now?.quotaBytes === 0 ? "none" : sizeText(now?.quotaBytes))],
  ["Term", ({ status: now }) => `${now?.header.term ?? ""}`],
  ["Applied", ({ status: now }) => `${now?.header.appliedIndex ?? ""}`],
  ["Alarms", ({ status: now, reason }) => now?.alarms.join("; ") ?? `no answer: ${reason ?? ""}`],
];

function roleOf({ member, status: now }: StatusReport): string {
  if (now?.isLeader === true) return "leader";
  return (now ?? member).isLearner ? "learner" : "voter";
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

function sizeText(bytes: number | undefined): string {
  if (bytes === undefined) return "";
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const amount = bytes / 1024 ** step;
  return `${step === 0 ? amount : amount.toFixed(1)} ${units[step] ?? ""}`;
}

function reportJson({ member, status: now, reason }: StatusReport): object {
  return {
    id: member.id,
    member_id: member.memberId.toString(),
    rpc_address: member.rpcAddress ?? "",
    is_learner: (now ?? member).isLearner,
    answered: now !== undefined,
    reason: reason ?? "",
    ...(now !== undefined && {
      version: now.version,
      is_leader: now.isLeader,
      compact_revision: now.compactRevision,
      data_bytes: now.dataBytes,
      log_bytes: now.logBytes,
      quota_bytes: now.quotaBytes,
      alarms: now.alarms,
      header: headerJson(now.header),
    }),
  };
}
