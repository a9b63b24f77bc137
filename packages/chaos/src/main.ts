/** The command behind `make chaos`: arguments, signals, output and exit codes; nothing else. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readOptions, type Options, usage, UsageError } from "./options.ts";
import { isGood, renderSummary } from "./report/summary.ts";
import { runChaos } from "./run.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const options = readOptions(process.argv.slice(2), () => Math.floor(Math.random() * 2 ** 32));
  if (options === "help") print(usage);
  else process.exitCode = await main(options);
} catch (error) {
  if (!(error instanceof Error)) throw error;
  process.stderr.write(
    `chaos: ${error instanceof UsageError ? error.message : (error.stack ?? error.message)}\n`,
  );
  // What still runs has a warden.
  process.exit(error instanceof UsageError ? 2 : 1);
}

async function main(options: Options): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "dkv-chaos-"));
  const summary = await runChaos({ ...options, directory, print, stop: stopOnSignals() });
  print(`\n${renderSummary(summary)}`);
  return isGood(summary) ? 0 : 1;
}

/** The first signal ends the faults, and what was seen is judged; a second one does not wait. */
function stopOnSignals(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(1);
      print("ending: healing the cluster and judging what was seen; Ctrl-C again does not wait");
      stopping.abort();
    });
  }
  return stopping.signal;
}
