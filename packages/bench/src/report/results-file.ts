import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Options } from "../options.ts";
import type { Row } from "../workload/row.ts";
import type { Machine } from "./machine.ts";
import { ratioToEtcd } from "./table.ts";

/** Everything about one run, as it is written to a file. */
export interface Results {
  readonly date: Date;
  readonly machine: Machine;
  readonly options: Options;
  readonly rows: readonly Row[];
}

/** Writes the results as JSON, making directories as needed, and returns where. */
export async function writeResults(results: Results): Promise<string> {
  const file = results.options.jsonFile ?? defaultFile("", results.date);
  const rows = results.rows.map((row) => ({ ...row, ratioToEtcd: ratioToEtcd(row, results.rows) }));
  await writeJson(file, { ...results, rows });
  return file;
}

/** Where results go unless the user says: named after the time of day, as people look for it. */
export function defaultFile(prefix: string, date: Date): string {
  return join("bench-results", `${prefix}${timestamp(date)}.json`);
}

export async function writeJson(file: string, content: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(content, undefined, 2)}\n`);
}

/** YYYY-MM-DD-HHMMSS in local time. */
function timestamp(date: Date): string {
  const pad = (number: number): string => String(number).padStart(2, "0");
  const day = [date.getFullYear(), pad(date.getMonth() + 1), pad(date.getDate())].join("-");
  return `${day}-${pad(date.getHours())}${pad(date.getMinutes())}${pad(date.getSeconds())}`;
}
