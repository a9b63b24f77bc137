/**
 * The command line behind `make sim`, `make soak` and their like:
 *
 *   sim --seed=N [--trace] [--keep=1,2,3|none] [--seconds=N]   one run; if it fails, the smallest like it
 *   soak --minutes=N                                          fresh seeds until the time is up
 *   check --count=N                                           regressions, and so many fresh seeds
 *   speed --seconds=N                                         how fast so long a run of a calm cluster is
 */
import { schedule } from "./faults/schedule.ts";
import { drawSwarm } from "./faults/swarm.ts";
import { regressions } from "./regressions.ts";
import { failureReport, successLine } from "./report/report.ts";
import { SoakSummary } from "./report/soak-summary.ts";
import { shrink } from "./shrink/shrink.ts";
import { measureSpeed } from "./speed.ts";
import { type Outcome, type RunOptions, simulate } from "./simulation.ts";
import { Mistake, readTask, type SimTask } from "./task.ts";
import { formatLine } from "./world/trace.ts";

export interface Terminal {
  print(line: string): void;
  /** Says what was wrong. */
  complain(line: string): void;
  nowMs(): number;
  /** That this process has had of the processor. */
  cpuMs(): number;
  /** For runs that nobody has seen yet. */
  freshSeed(): number;
  /** Lets happen what waits outside. Resolves to whether somebody wants an end. */
  isStopped(): Promise<boolean>;
}

/** Runs that a failing one may be shrunk by. */
const shrinkingRuns = 60;

/** Long work says how far it is so often. */
const progressMs = 10_000;

/** Resolves with the status to exit with. */
export async function command(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const task = readTask(args);
    switch (task.kind) {
      case "sim":
        return await one(task, terminal);
      case "soak":
        return await soak(task.minutes, terminal);
      case "check":
        return await check(task.count, terminal);
      case "speed":
        return await speed(task.seconds, terminal);
    }
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    terminal.complain(error.message);
    return 2;
  }
}

/** @throws {Mistake} if a fault is to be kept that the run does not have */
function optionsOf({ seed, keep, seconds }: SimTask): RunOptions {
  const drawn = drawSwarm(seed);
  const swarm = seconds === undefined ? drawn : { ...drawn, seconds };
  // Faults come from the whole schedule: their numbers stay.
  const all = schedule(drawn, seed);
  const missing = [...(keep ?? [])].find((number) => !all.some((fault) => fault.number === number));
  if (missing !== undefined)
    throw new Mistake(
      `KEEP=${String(missing)}: the run of seed ${String(seed)} has no fault of that number, its faults are 1 to ${String(all.length)}`,
    );
  const faults = all.filter(({ number }) => keep?.has(number) ?? true);
  return { seed, swarm, faults: faults.filter(({ atUs }) => atUs <= swarm.seconds * 1_000_000) };
}

async function one(task: SimTask, terminal: Terminal): Promise<number> {
  const onLine = task.isTraced
    ? { onLine: (line: Parameters<typeof formatLine>[0]) => terminal.print(formatLine(line)) }
    : {};
  const outcome = await simulate({ ...optionsOf(task), ...onLine });
  if (outcome.violation === undefined) {
    terminal.print(successLine(outcome));
    return 0;
  }
  // What was shrunk already is shown as it is.
  if (task.keep === undefined && task.seconds === undefined) await explain(outcome, terminal);
  else for (const line of failureReport(outcome, faultsOf(outcome))) terminal.print(line);
  return 1;
}

const faultsOf = ({ seed }: Outcome): number => schedule(drawSwarm(seed), seed).length;

async function explain(outcome: Outcome, terminal: Terminal): Promise<void> {
  const { seed, faults } = outcome;
  terminal.print(`seed ${String(seed)} failed; looking for a smaller run that fails like it`);
  const { outcome: smallest, runs } = await shrink(outcome, simulate, shrinkingRuns);
  for (const line of failureReport(smallest, faultsOf(outcome))) terminal.print(line);
  const isCutShort = runs >= shrinkingRuns ? ", which was as long as it was looked for" : "";
  terminal.print(`shrunk from ${String(faults.length)} faults in ${String(runs)} runs${isCutShort}`);
}

async function soak(minutes: number, terminal: Terminal): Promise<number> {
  const first = terminal.freshSeed();
  terminal.print(`seeds from ${String(first)} on, for ${String(minutes)} minutes`);
  const endMs = terminal.nowMs() + minutes * 60_000;
  const seeds = function* (): Generator<number> {
    for (let seed = first; terminal.nowMs() < endMs; seed += 1) yield seed;
  };
  return many(seeds(), terminal);
}

async function check(count: number, terminal: Terminal): Promise<number> {
  const first = terminal.freshSeed();
  terminal.print(
    `${String(regressions.length)} seeds of regressions, and ${String(count)} from ${String(first)} on`,
  );
  const fresh = Array.from({ length: count }, (_, at) => first + at);
  return many([...regressions.map(({ seed }) => seed), ...fresh], terminal);
}

async function many(seeds: Iterable<number>, terminal: Terminal): Promise<number> {
  const summary = new SoakSummary();
  const startMs = terminal.nowMs();
  let toldMs = startMs;
  for (const seed of seeds) {
    if (await terminal.isStopped()) break;
    const outcome = await simulate({ seed });
    summary.add(outcome);
    if (outcome.violation !== undefined) await explain(outcome, terminal);
    const nowMs = terminal.nowMs();
    if (nowMs - toldMs < progressMs) continue;
    toldMs = nowMs;
    terminal.print(summary.progress(nowMs - startMs));
  }
  for (const line of summary.lines(terminal.nowMs() - startMs)) terminal.print(line);
  return summary.failed.length === 0 ? 0 : 1;
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
