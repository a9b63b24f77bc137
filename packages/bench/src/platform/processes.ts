import { type Child as Process, describeEnding, startChild } from "@dkv/cluster";
import { delimiter, dirname } from "node:path";
import { sleep } from "./clock.ts";

/** How long a process may take to end by itself. */
const patienceMs = 5_000;

/** Lines of what a process printed that are kept. */
const keptLines = 15;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Where it runs. */
  readonly directory: string;
}

/** A child process that this one started and will end; it does not outlive this one, however that dies. */
export interface Child {
  readonly pid: number;
  /** Asks it to end and insists after a while. Resolves when it is gone. */
  stop(): Promise<void>;
  /** Takes it away without a word: kill -9. Resolves when it is gone. */
  kill(): Promise<void>;
  /** How it ended, in words; undefined while it runs. */
  ending(): string | undefined;
  /** The last lines that it printed. */
  lastWords(): string;
}

/** Rejects when the program cannot be started. */
export async function startProcess(command: Command): Promise<Child> {
  const printed: string[] = [];
  const child = startChild({
    ...command,
    environment: plainEnvironment(),
    onLine: (line) => {
      printed.push(line);
      if (printed.length > keptLines) printed.shift();
    },
  });
  if (child.pid === 0) await child.ended;
  let ending: string | undefined;
  child.ended.then(
    (how) => {
      ending = describeEnding(how);
    },
    (error: unknown) => {
      ending = String(error);
    },
  );
  return {
    pid: child.pid,
    stop: () => stopProcess(child),
    kill: async () => {
      child.signal("SIGKILL");
      await child.ended;
    },
    ending: () => ending,
    lastWords: () => printed.join("\n"),
  };
}

/** This process's environment without what would configure a member behind the bench's back. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:DKV|ETCD)_/.test(name));
  // Members written for Node run on the one that runs us.
  const path = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
  return { ...Object.fromEntries(inherited), PATH: path };
}

async function stopProcess(child: Process): Promise<void> {
  child.signal("SIGTERM");
  const patience = new AbortController();
  void sleep(patienceMs, patience.signal).then(
    () => {
      child.signal("SIGKILL");
    },
    () => undefined,
  );
  await child.ended;
  patience.abort();
}
