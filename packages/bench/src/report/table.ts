import type { Row } from "../workload/row.ts";
import type { WorkName } from "../workload/work.ts";
import { alignColumns } from "./columns.ts";

const mebibyte = 1024 ** 2;

/** Works that the systems do by different means, and what dkv's clients are. */
const unlike = {
  pipe: "operations in flight on streams of dkv, one a connection",
  text: "sets in flight on connections of dkv's text protocol, each of a new key, for it overwrites none",
  binary: "sets in flight on connections of dkv's binary protocol",
} as const satisfies Partial<Record<WorkName, string>>;

interface Column {
  readonly title: string;
  readonly cell: (row: Row, ratio: number | undefined) => string;
  readonly align: "left" | "right";
}

const columns: readonly Column[] = [
  { title: "work", align: "left", cell: (row) => row.work },
  { title: "clients", align: "right", cell: (row) => count(row.clients) },
  { title: "system", align: "left", cell: (row) => row.system },
  { title: "calls/s", align: "right", cell: (row) => count(row.callsPerSecond) },
  { title: "ratio", align: "right", cell: (_, ratio) => (ratio === undefined ? "" : `${ratio.toFixed(2)}x`) },
  { title: "p50 ms", align: "right", cell: (row) => milliseconds(row.p50Ms) },
  { title: "p99 ms", align: "right", cell: (row) => milliseconds(row.p99Ms) },
  { title: "p99.9 ms", align: "right", cell: (row) => milliseconds(row.p999Ms) },
  { title: "max ms", align: "right", cell: (row) => milliseconds(row.maxMs) },
  { title: "errors", align: "right", cell: (row) => count(row.errors) },
  { title: "RSS MiB", align: "right", cell: largestMemberMebibytes },
  { title: "cores", align: "right", cell: (row) => memberCores(row).toFixed(2) },
  { title: "bench", align: "right", cell: (row) => (row.benchCpuSeconds / row.seconds).toFixed(2) },
];

/** All rows with a head, and below them what the columns mean. */
export function formatTable(rows: readonly Row[]): string {
  const head = columns.map((column) => column.title);
  const cells = rows.map((row) => columns.map((column) => column.cell(row, ratioToEtcd(row, rows))));
  const aligns = columns.map((column) => column.align);
  const [first = "", ...lines] = alignColumns([head, ...cells], aligns);
  const body = lines.map((line, at) => {
    const gap = at > 0 && rows[at]?.work !== rows[at - 1]?.work ? "\n" : "";
    return gap + line;
  });
  return [first, ...body, "", ...notes(rows)].join("\n");
}

/** How many times etcd's rate on the same work this row reached; undefined for etcd itself, or without it. */
export function ratioToEtcd(row: Row, rows: readonly Row[]): number | undefined {
  if (row.system === "etcd") return undefined;
  const other = rows.find(
    ({ system, work, clients }) => system === "etcd" && work === row.work && clients === row.clients,
  );
  return other === undefined || other.callsPerSecond === 0
    ? undefined
    : row.callsPerSecond / other.callsPerSecond;
}

/** One row as a line of its own, for progress. */
export function formatRow(row: Row): string {
  const latency = `p50 ${milliseconds(row.p50Ms)} ms, p99 ${milliseconds(row.p99Ms)} ms`;
  const errors = row.errors === 0 ? "" : `, ${count(row.errors)} ERRORS`;
  return `${rowName(row)}: ${count(row.callsPerSecond)}/s, ${latency}${errors}`;
}

export function rowName({ system, work, clients }: Pick<Row, "system" | "work" | "clients">): string {
  return `${system} ${work} ${count(clients)} client${clients === 1 ? "" : "s"}`;
}

function notes(rows: readonly Row[]): readonly string[] {
  const idleCores = Math.max(0, ...rows.map((row) => row.idleCpuSeconds / row.seconds));
  const lines = [
    "RSS: largest resident memory of a member. cores: CPU of all members. bench: CPU of the load generator.",
  ];
  for (const [work, what] of Object.entries(unlike)) {
    const connections = rows
      .filter((row) => row.work === work)
      .map((row) => `${row.system} ${row.connections}`);
    if (connections.length === 0) continue;
    const used = [...new Set(connections)].join(", ");
    lines.push(`${work}: ${what}; of etcd calls of its put, of keys like those. Connections: ${used}.`);
  }
  if (idleCores > 0) lines.push(`The idle cluster took at most ${idleCores.toFixed(2)} cores.`);
  for (const row of rows) {
    for (const [kind, times] of Object.entries(row.errorKinds)) {
      lines.push(`errors, ${rowName(row)}: ${count(times)} x ${kind}`);
    }
  }
  return lines;
}

function largestMemberMebibytes(row: Row): string {
  const sizes = row.members.flatMap((member) =>
    member.residentBytes === undefined ? [] : [member.residentBytes.max],
  );
  return sizes.length === 0 ? "-" : count(Math.max(...sizes) / mebibyte);
}

function memberCores(row: Row): number {
  return row.members.reduce((sum, member) => sum + (member.cpuSeconds ?? 0), 0) / row.seconds;
}

function count(number: number): string {
  return Math.round(number).toLocaleString("en");
}

function milliseconds(duration: number): string {
  return duration.toFixed(duration < 10 ? 2 : 1);
}
