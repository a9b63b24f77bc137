/** Processes that never outlive the one that started them. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Where it runs. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes each line that the process prints, on standard output or error. */
  readonly onLine: (line: string) => void;
}

/** How a process ended: one of the two is defined. */
export interface Ending {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface Child {
  readonly pid: number;
  /** Resolves when the process is gone and all that it printed has been handed on. */
  readonly ended: Promise<Ending>;
  /** Does nothing if the process has ended. */
  signal(name: NodeJS.Signals): void;
}

/**
 * Starts a program. It gets a process group of its own, so that a Ctrl-C reaches only the caller, who decides
 * what happens to it; and a warden, which kills it if the caller dies, however it dies.
 */
export function startChild({ program, args, directory, environment, onLine }: Command): Child {
  const child = spawn(program, args, {
    cwd: directory,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const ended = watch(child, onLine);
  const { pid } = child;
  if (pid === undefined) return { pid: 0, ended, signal: () => undefined };
  const dismiss = appointWarden(pid);
  child.once("exit", dismiss);
  return { pid, ended, signal: (name) => void child.kill(name) };
}

async function watch(
  child: ChildProcessByStdio<null, Readable, Readable>,
  onLine: (line: string) => void,
): Promise<Ending> {
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on("line", onLine);
  }
  try {
    await once(child, "close");
  } catch (error) {
    throw new Error(`${child.spawnfile} cannot be started`, { cause: error });
  }
  return { code: child.exitCode ?? undefined, signal: child.signalCode ?? undefined };
}

/**
 * A shell that waits for a line from this process. If this process dies instead, the pipe ends without a
 * line, and the warden kills its ward. A signal handler here could not do that: kill -9 and crashes of the
 * runtime pass it by.
 */
function appointWarden(pid: number): () => void {
  const script = 'read -r line || kill -KILL "$1"';
  const warden: ChildProcess = spawn("sh", ["-c", script, "warden", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  warden.unref();
  // Without a warden the ward is merely unguarded; whoever removed it knows why.
  warden.on("error", () => undefined);
  warden.stdin?.on("error", () => undefined);
  return () => warden.stdin?.end("dismissed\n");
}

/** The ending in words, for people. */
export function describeEnding({ code, signal }: Ending): string {
  return signal === undefined ? `with exit code ${String(code)}` : `by ${signal}`;
}
