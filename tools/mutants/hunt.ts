/** Runs what ought to notice that a guard is gone, until something does. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Who noticed: a test by its name, or a seed by a command that shows it; undefined if nobody did. */
export type Finder = string | undefined;

/** Where to hunt, and what ends it early. */
export interface Ground {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

interface Hunt {
  readonly program: string;
  readonly args: readonly string[];
  /** Names the finder if the line tells of one. */
  readonly read: (line: string) => Finder;
  /** Names the finder if it ended otherwise than well, and no line had told of one. */
  readonly ended: (how: string) => Finder;
  readonly limitMs: number;
  /** Who noticed, if it had to be stopped. */
  readonly endless: Finder;
}

const fileMs = 300_000;

/** More seeds than there is ever time for. */
export const simulationArgs: readonly string[] = [
  "packages/simulator/dist/main.js",
  "check",
  "--count=1000000",
];

/** The first test of the file that fails; a file that ends otherwise than well, or not at all, is one, too. */
export function huntByTests(ground: Ground, file: string): Promise<Finder> {
  const args = ["--test", "--test-timeout=60000", "--test-reporter=tap", file];
  const ended = (how: string): Finder => `${file} ends with ${how}`;
  const endless = `${file} does not end`;
  return hunt(ground, { program: "node", args, read: failedTest, ended, limitMs: fileMs, endless });
}

/** The first seed under which the simulator finds a violation, or that it ends otherwise than well. */
export function huntBySimulation(ground: Ground, limitMs: number): Promise<Finder> {
  const ended = (how: string): Finder => `the simulator ends with ${how}`;
  return hunt(ground, {
    program: "node",
    args: simulationArgs,
    read: failedSeed,
    ended,
    limitMs,
    endless: undefined,
  });
}

/** A test that holds others fails with them: what matters is the innermost, which TAP tells first. */
function failedTest(line: string): Finder {
  return /^\s*not ok \d+ - (?<name>.*?)(?: #.*)?$/.exec(line)?.groups?.["name"];
}

/** It is told at once, and the smaller run that is looked for then is not waited for. */
function failedSeed(line: string): Finder {
  const seed = /^seed (?<seed>\d+) failed/.exec(line)?.groups?.["seed"];
  return seed === undefined ? undefined : `make sim SEED=${seed}`;
}

async function hunt(ground: Ground, { program, args, read, ended, limitMs, endless }: Hunt): Promise<Finder> {
  const late = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([ground.signal, late]);
  if (signal.aborted) return undefined;
  // A group of its own, for tests start processes: all of them end with it.
  const child = spawn(program, args, {
    cwd: ground.directory,
    // Node's test runner does nothing if it takes itself for a test of another one.
    env: { ...ground.environment, NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const closed = once(child, "close");
  const stop = (): void => {
    killGroup(child);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const finder = read(line);
      if (finder !== undefined) return finder;
    }
    await closed;
    if (late.aborted) return endless;
    if (ground.signal.aborted || child.exitCode === 0) return undefined;
    return ended(child.signalCode ?? `code ${String(child.exitCode)}`);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await closed;
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // Nobody of it is left.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
