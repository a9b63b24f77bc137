/** Runs what ought to notice that a guard is gone, until something does. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Who noticed: a test by its name, or a seed by the command that replays it; undefined if nobody did. */
export type Finder = string | undefined;

interface Hunt {
  readonly program: string;
  readonly args: readonly string[];
  /** Names the finder if the line tells of one. */
  readonly read: (line: string) => Finder;
  readonly limitMs: number;
}

const testMs = 300_000;

/** The first test that fails; a file that ends otherwise than well is one, too. */
export function huntByTests(directory: string, patterns: readonly string[]): Promise<Finder> {
  const args = ["--test", "--test-timeout=60000", "--test-reporter=tap", ...patterns];
  return hunt(directory, { program: "node", args, read: failedTest, limitMs: testMs });
}

/** The first seed under which the simulator finds a violation. */
export function huntBySimulation(directory: string, limitMs: number): Promise<Finder> {
  const args = ["packages/simulator/dist/main.js", "check", "1000000"];
  return hunt(directory, { program: "node", args, read: failedSeed, limitMs });
}

/** A test that holds others fails with them: what matters is the innermost, which TAP tells first. */
function failedTest(line: string): Finder {
  return /^\s*not ok \d+ - (?<name>.*?)(?: #.*)?$/.exec(line)?.groups?.["name"];
}

function failedSeed(line: string): Finder {
  return /make sim SEED=\d+/.exec(line)?.[0];
}

async function hunt(directory: string, { program, args, read, limitMs }: Hunt): Promise<Finder> {
  const child = spawn(program, args, {
    cwd: directory,
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  const closed = once(child, "close");
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const finder = read(line);
      if (finder !== undefined) return finder;
    }
    return undefined;
  } finally {
    // Tests start processes of their own.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    await closed;
  }
}
