/** What the operating system knows of this process. */
import { readdir, readFile } from "node:fs/promises";

export interface ProcessFacts {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Seconds since 1970. */
  readonly startedAtSeconds: number;
  /** Undefined where there is no /proc. */
  readonly openFiles: number | undefined;
  /** Undefined where there is no /proc, or no limit. */
  readonly maxFiles: number | undefined;
}

const startedAtSeconds = Date.now() / 1000 - process.uptime();

export async function processFacts(): Promise<ProcessFacts> {
  const { user, system } = process.cpuUsage();
  const [files, limits] = await Promise.all([
    readdir("/proc/self/fd").catch(() => undefined),
    readFile("/proc/self/limits", "utf8").catch(() => ""),
  ]);
  const maxFiles = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startedAtSeconds,
    openFiles: files?.length,
    maxFiles: maxFiles === undefined ? undefined : Number(maxFiles),
  };
}
