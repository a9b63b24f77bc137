import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** What a process has in RAM now. */
export interface ResidentMemory {
  readonly bytes: number;
  /** Without what is mapped from files, which the system takes back as it needs it; undefined: not told. */
  readonly ownBytes: number | undefined;
}

/** Undefined where there is no such process. */
export async function residentMemory(pid: number): Promise<ResidentMemory | undefined> {
  return (await fromProc(pid)) ?? (await fromPs(pid));
}

async function fromProc(pid: number): Promise<ResidentMemory | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const field = (name: string): number | undefined =>
      kibibytes(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]);
    const bytes = field("VmRSS");
    return bytes === undefined ? undefined : { bytes, ownBytes: field("RssAnon") };
  } catch {
    return undefined;
  }
}

/** For systems without /proc. */
export async function fromPs(pid: number): Promise<ResidentMemory | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)]);
    const bytes = kibibytes(/^\s*(\d+)\s*$/.exec(stdout)?.[1]);
    return bytes === undefined ? undefined : { bytes, ownBytes: undefined };
  } catch {
    return undefined;
  }
}

function kibibytes(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text) * 1024;
}
