/**
 * `make fuzz MINUTES=n`: every target again and again, with fresh seeds, until the time is up. Each thread
 * takes the next target, so that one that hangs or runs out of memory is known by name, seed and run.
 *
 * `make fuzz TARGET=name SEED=n AT=path`: one input, as a failure names it.
 */
import { randomInt } from "node:crypto";
import { globSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { Fuzzing } from "./fuzzing.ts";
import { readOptions, UsageError } from "./options.ts";
import { serveTargets } from "./thread.ts";

if (isMainThread) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`fuzz: ${error.message}\n`);
    process.exitCode = 2;
  }
} else await serveTargets();

async function main(): Promise<number> {
  const { minutes, target, replay, files, threads, silenceSeconds } = readOptions(process.argv.slice(2));
  const fuzzing = new Fuzzing({
    script: new URL(import.meta.url),
    files: globSync(files).toSorted((a, b) => (a < b ? -1 : 1)),
    only: target,
    timeMs: minutes * 60_000,
    threads,
    silenceMs: silenceSeconds * 1000,
    nowMs: () => performance.now(),
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => {
        clearTimeout(timer);
      };
    },
    seed: () => randomInt(2 ** 31),
    print: (line) => process.stdout.write(`${line}\n`),
  });
  return replay === undefined ? fuzzing.run() : fuzzing.replay(replay);
}
