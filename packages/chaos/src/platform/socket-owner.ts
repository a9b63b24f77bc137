/**
 * Whose a TCP connection is. Members speak TLS to each other, and all are told the same addresses, so a proxy
 * cannot see who dials; the kernel knows.
 */
import { existsSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";

export interface Owner {
  readonly name: string;
  readonly pid: number;
}

/** Without Linux's /proc nobody can tell. */
export function canTellOwners(): boolean {
  return existsSync("/proc/net/tcp");
}

/**
 * The one of these processes that has dialled from 127.0.0.1 and this port; undefined if none has, or it is
 * gone.
 */
export async function ownerOf(port: number, processes: readonly Owner[]): Promise<string | undefined> {
  const socket = await socketAt(port);
  if (socket === undefined) return undefined;
  for (const { name, pid } of processes) {
    if (await hasOpen(pid, socket)) return name;
  }
  return undefined;
}

/** What the kernel calls the socket that has this local port and is connected. */
async function socketAt(port: number): Promise<string | undefined> {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const established = "01";
  const table = await readFile("/proc/net/tcp", "latin1");
  for (const line of table.split("\n")) {
    const fields = line.trim().split(/\s+/);
    if (fields[1] === local && fields[3] === established) return `socket:[${fields[9] ?? ""}]`;
  }
  return undefined;
}

async function hasOpen(pid: number, socket: string): Promise<boolean> {
  const directory = `/proc/${String(pid)}/fd`;
  try {
    const descriptors = await readdir(directory);
    const links = await Promise.all(
      descriptors.map((one) => readlink(`${directory}/${one}`).catch(() => undefined)),
    );
    return links.includes(socket);
  } catch {
    // The process has ended.
    return false;
  }
}
