/**
 * The command line behind `make sim`, `make soak` and their like:
 *
 *   sim SEED [--trace] [--keep 1,2,3|none] [--seconds N]    one run; if it fails, the smallest like it
 *   soak MINUTES                                           fresh seeds until the time is up
 *   check COUNT                                            the seeds of regressions, and so many fresh ones
 *   speed SECONDS                                          how fast so long a run of a calm cluster is
 */
import { parseArgs } from "node:util";
import { schedule } from "./faults/schedule.ts";
import { drawSwarm } from "./faults/swarm.ts";
import { regressions } from "./regressions.ts";
import { failureReport, successLine } from "./report/report.ts";
import { SoakSummary } from "./report/soak-summary.ts";
import { shrink } from "./shrink/shrink.ts";
import { measureSpeed } from "./speed.ts";
import { type Outcome, type RunOptions, simulate } from "./simulation.ts";
import { formatLine } from "./world/trace.ts";

export interface Terminal {
  print(line: string): void;
  nowMs(): number;
  /** That this process has had of the processor. */
  cpuMs(): number;
  /** For runs that nobody has seen yet. */
  freshSeed(): number;
}

const usage =
  "usage: sim SEED [--trace] [--keep NUMBERS|none] [--seconds N] | soak MINUTES | check COUNT | speed SECONDS";

/** Runs that a failing one may be shrunk by. */
const shrinkingRuns = 60;

/** Resolves with the status to exit with. */
export async function command(args: readonly string[], terminal: Terminal): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { trace: { type: "boolean" }, keep: { type: "string" }, seconds: { type: "string" } },
  });
  const [what, text] = positionals;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0 || positionals.length !== 2) {
    terminal.print(usage);
    return 2;
  }
  if (what === "sim") return one(optionsOf(number, values), values.trace === true, terminal);
  if (what === "soak") return soak(number, terminal);
  if (what === "check") return check(number, terminal);
  if (what === "speed") return speed(number, terminal);
  terminal.print(usage);
  return 2;
}

function optionsOf(
  seed: number,
  { keep, seconds }: { readonly keep?: string; readonly seconds?: string },
): RunOptions {
  const drawn = drawSwarm(seed);
  const swarm = seconds === undefined ? drawn : { ...drawn, seconds: Number(seconds) };
  const kept = keep === undefined ? undefined : new Set(keep.split(",").map(Number));
  // Faults come from the whole schedule: their numbers stay.
  const faults = schedule(drawn, seed).filter(({ number }) => kept?.has(number) ?? true);
  return { seed, swarm, faults: faults.filter(({ atUs }) => atUs <= swarm.seconds * 1_000_000) };
}

async function one(options: RunOptions, isTraced: boolean, terminal: Terminal): Promise<number> {
  const onLine = isTraced
    ? { onLine: (line: Parameters<typeof formatLine>[0]) => terminal.print(formatLine(line)) }
    : {};
  const outcome = await simulate({ ...options, ...onLine });
  if (outcome.violation === undefined) {
    terminal.print(successLine(outcome));
    return 0;
  }
  await explain(outcome, terminal);
  return 1;
}

async function explain(outcome: Outcome, terminal: Terminal): Promise<void> {
  const all = schedule(drawSwarm(outcome.seed), outcome.seed).length;
  const { outcome: smallest, runs } = await shrink(outcome, simulate, shrinkingRuns);
  for (const line of failureReport(smallest, all)) terminal.print(line);
  terminal.print(`shrunk from ${String(outcome.faults.length)} faults in ${String(runs)} runs`);
}

async function soak(minutes: number, terminal: Terminal): Promise<number> {
  const summary = new SoakSummary();
  const startMs = terminal.nowMs();
  const first = terminal.freshSeed();
  for (let seed = first; terminal.nowMs() - startMs < minutes * 60_000; seed += 1)
    await add(seed, summary, terminal);
  return end(summary, startMs, terminal);
}

async function check(count: number, terminal: Terminal): Promise<number> {
  const summary = new SoakSummary();
  const startMs = terminal.nowMs();
  const first = terminal.freshSeed();
  terminal.print(
    `${String(regressions.length)} seeds of regressions, and ${String(count)} from ${String(first)} on`,
  );
  for (const { seed } of regressions) await add(seed, summary, terminal);
  for (let seed = first; seed < first + count; seed += 1) await add(seed, summary, terminal);
  return end(summary, startMs, terminal);
}

async function speed(seconds: number, terminal: Terminal): Promise<number> {
  const { rounds, operations, events } = await measureSpeed(seconds, () => terminal.cpuMs());
  terminal.print(
    `3 calm members, ${operations.toFixed(0)} operations and ${events.toFixed(0)} events a simulated second`,
  );
  const texts = rounds.map((each) => each.toFixed(0));
  terminal.print(
    `simulated seconds for each of the processor: ${Math.max(...rounds).toFixed(0)} at best of ${texts.join(", ")}`,
  );
  return 0;
}

async function add(seed: number, summary: SoakSummary, terminal: Terminal): Promise<void> {
  const outcome = await simulate({ seed });
  summary.add(outcome);
  if (outcome.violation !== undefined) await explain(outcome, terminal);
}

function end(summary: SoakSummary, startMs: number, terminal: Terminal): number {
  for (const line of summary.lines(terminal.nowMs() - startMs)) terminal.print(line);
  return summary.failed.length === 0 ? 0 : 1;
}
