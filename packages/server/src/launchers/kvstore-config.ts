/** The config.json of `dkv kvstore`: all servers of the cluster, with their ports. */
import { readFileSync } from "node:fs";
import { usage } from "../config/value-reader.ts";
import { StartupError } from "../platform/startup-error.ts";
import { whyUnreadable } from "../platform/unreadable.ts";

export interface Server {
  readonly id: number;
  /** Where the others and the clients reach it. */
  readonly host: string;
  /** For the text protocol. */
  readonly clientPort: number;
  /** For the other servers. */
  readonly logPort: number;
}

/** Not 0, a port of the system's choice: nobody would find it. */
const ports = { least: 1, most: 65_535 };

const example = '{"Servers":[{"Id":0,"Hostname":"localhost","ClientPort":9000,"LogPort":9050}]}';

/** Its `Path` is not looked at, nor is anything that it does not know. Throws a StartupError. */
export function readServers(file: string): readonly Server[] {
  const content = parse(file, read(file));
  const rows: unknown = fieldOf(content, "Servers");
  if (!Array.isArray(rows) || rows.length === 0)
    throw usage(
      `${file} names no servers: "Servers" is a list with Id, Hostname, ClientPort and LogPort of each`,
    );
  const servers = rows.map((row: unknown, at) => readServer(row, `${file}: ${nameOf(row, at)}`));
  const ids = new Set(servers.map(({ id }) => id));
  if (ids.size < servers.length) throw usage(`${file} has an Id twice; each server needs its own`);
  for (const [at, one] of servers.entries()) {
    const other = servers
      .slice(0, at)
      .find(({ host, logPort }) => host === one.host && logPort === one.logPort);
    if (other !== undefined)
      throw usage(
        `${file}: servers ${String(other.id)} and ${String(one.id)} have the same Hostname and LogPort; ` +
          "each server needs its own",
      );
  }
  return servers;
}

/** By its Id, if it has one, for people count differently. */
function nameOf(row: unknown, at: number): string {
  const id = fieldOf(row, "Id");
  return typeof id === "number" ? `server ${String(id)}` : `entry ${String(at + 1)}`;
}

function readServer(row: unknown, where: string): Server {
  const number = (
    name: string,
    { least, most }: { readonly least: number; readonly most: number },
  ): number => {
    const value = fieldOf(row, name);
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
      throw usage(
        `${where}: "${name}" is ${JSON.stringify(value)}; write a whole number from ${String(least)} to ${String(most)}`,
      );
    return value;
  };
  const host = fieldOf(row, "Hostname");
  if (typeof host !== "string" || host === "")
    throw usage(
      `${where}: "Hostname" is ${JSON.stringify(host)}; write the name of its machine, such as localhost`,
    );
  return {
    id: number("Id", { least: 0, most: Number.MAX_SAFE_INTEGER }),
    host,
    clientPort: number("ClientPort", ports),
    logPort: number("LogPort", ports),
  };
}

/** Names count whatever their case is, as in programs in Go. */
function fieldOf(object: unknown, name: string): unknown {
  if (typeof object !== "object" || object === null) return undefined;
  const entries = Object.entries(object);
  const found = entries.find(([key]) => key.toLowerCase() === name.toLowerCase());
  return found?.[1];
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new StartupError(
      "environment",
      `${file} ${whyUnreadable(error)} in ${process.cwd()}: it names the servers, such as ${example}`,
      { cause: error },
    );
  }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usage(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
