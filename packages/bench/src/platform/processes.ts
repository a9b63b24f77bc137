import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, dirname } from "node:path";
import { sleep } from "./clock.ts";

/** How long a process may take to end by itself. */
const patienceMs = 5_000;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Where it runs. */
  readonly directory: string;
  /** Takes all that the process prints. */
  readonly logFile: string;
}

/** A child process that this one started and will end. */
export interface Child {
  readonly pid: number;
  /** Asks it to end and insists after a while. Resolves when it is gone. */
  stop(): Promise<void>;
  /** Why it is no longer there; undefined while it runs. */
  ending(): string | undefined;
  /** The last lines that it printed. */
  lastWords(): Promise<string>;
}

/** Rejects when the program cannot be started. */
export async function startProcess({ program, args, directory, logFile }: Command): Promise<Child> {
  const log = openSync(logFile, "w");
  const child = spawn(program, args, {
    cwd: directory,
    env: plainEnvironment(),
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  await once(child, "spawn");
  return {
    pid: child.pid ?? 0,
    stop: () => stopProcess(child),
    ending: () => {
      if (child.exitCode !== null) return `exit code ${child.exitCode}`;
      return child.signalCode === null ? undefined : `signal ${child.signalCode}`;
    },
    lastWords: async () => (await readFile(logFile, "utf8")).trimEnd().split("\n").slice(-15).join("\n"),
  };
}

/** This process's environment without what would configure a member behind the bench's back. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:DKV|ETCD)_/.test(name));
  // Members written for Node run on the one that runs us.
  const path = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
  return { ...Object.fromEntries(inherited), PATH: path };
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const patience = new AbortController();
  void sleep(patienceMs, patience.signal).then(
    () => child.kill("SIGKILL"),
    () => undefined,
  );
  await gone;
  patience.abort();
}

/** Ports on which nothing listens now. They are asked for together, so they differ. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
