/** What people read: of a run that failed, and of many that did not. */
import { type Fault, formatFault } from "../faults/schedule.ts";
import { drawSwarm } from "../faults/swarm.ts";
import type { Outcome } from "../simulation.ts";
import { formatLine } from "../world/trace.ts";

/** Lines of the dense log that are shown before the failure. */
const shownLines = 40;

/** The one command that shows it again. */
export function replayCommand(
  { seed, swarm, faults }: Pick<Outcome, "seed" | "swarm" | "faults">,
  all: number,
): string {
  const parts = [`make sim SEED=${String(seed)}`];
  if (faults.length < all) parts.push(`KEEP=${keepText(faults)}`);
  if (swarm.seconds !== drawSwarm(seed).seconds) parts.push(`SECONDS=${String(swarm.seconds)}`);
  return parts.join(" ");
}

const keepText = (faults: readonly Fault[]): string =>
  faults.length === 0 ? "none" : faults.map(({ number }) => String(number)).join(",");

/** @param all how many faults the run had before it was shrunk */
export function failureReport(outcome: Outcome, all: number): readonly string[] {
  const { seed, swarm, steps, simulatedMs, violation, faults, recent } = outcome;
  const where = `at step ${String(steps)}, ${(simulatedMs / 1000).toFixed(3)} simulated seconds`;
  return [
    `seed ${String(seed)} failed ${where}`,
    "",
    `${violation?.name ?? "?"}: ${violation?.message ?? "?"}`,
    ...(violation?.name === "SafetyViolation" ? [] : [violation?.stack ?? ""]),
    "",
    describeSwarm(outcome),
    ...(faults.length === 0 ? ["no faults"] : faults.map((fault) => formatFault(fault, swarm.members))),
    "",
    "    step         time where  what         numbers",
    ...recent.slice(-shownLines).map(formatLine),
    "",
    `replay with:   ${replayCommand(outcome, all)}`,
    `with all lines: ${replayCommand(outcome, all)} TRACE=1`,
  ];
}

function describeSwarm({ swarm }: Pick<Outcome, "swarm">): string {
  const { members, olderShare, seconds, network, scramble, workload, settings } = swarm;
  return (
    `${String(members)} members for ${String(seconds)} s, ${String(olderShare)} of them older; ` +
    `network up to ${String(network.maxDelayUs / 1000)} ms, ` +
    `scrambling ${String(scramble.chance)}; ${String(workload.clients)} clients on ${String(workload.keys)} keys; ` +
    `election timeout ${String(settings.electionTimeoutMs)} ms, compaction after ${String(settings.snapshotCount)}`
  );
}

/** One line for a run that was well. */
export function successLine(outcome: Outcome): string {
  const { seed, hash, steps, simulatedMs, operations, recovery, isUndecided } = outcome;
  const { ok, failed, unknown } = operations;
  return (
    `seed ${String(seed)}: trace ${hash}, ${String(steps)} steps, ${(simulatedMs / 1000).toFixed(1)} s; ` +
    `${String(ok)} operations answered, ${String(failed)} refused, ${String(unknown)} unknown; ` +
    `all served ${String(recovery?.servedMs ?? 0)} ms after healing, all equal after ${String(recovery?.equalMs ?? 0)} ms` +
    (isUndecided ? "; undecided: the search for an order of what the clients saw was given up" : "")
  );
}
