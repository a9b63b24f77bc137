/**
 * `make fuzz MINUTES=n`: every target again and again, with fresh seeds, until the time is up. Each thread
 * takes the next target, so that one that hangs or runs out of memory is known by name, seed and run.
 *
 * `make fuzz TARGET=name SEED=n AT=path`: one input, as a failure names it.
 */
import { randomInt } from "node:crypto";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread } from "node:worker_threads";
import { Fuzzing } from "./fuzzing.ts";
import { serveTargets } from "./thread.ts";

if (isMainThread) await main();
else await serveTargets();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "1" },
      target: { type: "string" },
      seed: { type: "string" },
      at: { type: "string" },
      files: { type: "string", default: "packages/*/test/**/*.fuzz.test.ts" },
      threads: { type: "string", default: String(availableParallelism()) },
      /** Seconds after which a thread hangs. */
      silence: { type: "string", default: "20" },
    },
  });
  const fuzzing = new Fuzzing({
    script: new URL(import.meta.url),
    files: globSync(values.files).toSorted((a, b) => (a < b ? -1 : 1)),
    only: values.target,
    timeMs: Number(values.minutes) * 60_000,
    threads: Number(values.threads),
    silenceMs: Number(values.silence) * 1000,
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
  const { seed, at } = values;
  process.exitCode = await (seed === undefined
    ? fuzzing.run()
    : fuzzing.replay({ seed: Number(seed), path: at }));
}
