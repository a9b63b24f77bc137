/** What many runs did, added up. */
import { type FaultKind, faultKinds } from "../faults/swarm.ts";
import type { Outcome } from "../simulation.ts";
import { probeNames, Probes } from "../world/probes.ts";

export class SoakSummary {
  readonly #probes = new Probes();
  readonly #planned = new Map<FaultKind, number>();
  readonly #struck = new Map<FaultKind, number>();
  #runs = 0;
  #steps = 0;
  #simulatedMs = 0;
  #operations = { ok: 0, failed: 0, unknown: 0 };
  #slowestRecoveryMs = 0;
  readonly #failed: number[] = [];
  /** Neither good nor bad. */
  readonly #undecided: number[] = [];

  add({
    seed,
    faults,
    struck,
    steps,
    simulatedMs,
    probes,
    operations,
    recovery,
    violation,
    isUndecided,
  }: Outcome): void {
    this.#runs += 1;
    this.#steps += steps;
    this.#simulatedMs += simulatedMs;
    this.#probes.add(probes);
    for (const { kind, number } of faults) {
      count(this.#planned, kind);
      if (struck.has(number)) count(this.#struck, kind);
    }
    const { ok, failed, unknown } = this.#operations;
    this.#operations = {
      ok: ok + operations.ok,
      failed: failed + operations.failed,
      unknown: unknown + operations.unknown,
    };
    this.#slowestRecoveryMs = Math.max(this.#slowestRecoveryMs, recovery?.equalMs ?? 0);
    if (violation !== undefined) this.#failed.push(seed);
    if (isUndecided) this.#undecided.push(seed);
  }

  get failed(): readonly number[] {
    return this.#failed;
  }

  /** How far it is. */
  progress(realMs: number): string {
    const seconds = (realMs / 1000).toFixed(0).padStart(6);
    return `${seconds} s  ${String(this.#runs)} seeds, ${String(this.#failed.length)} violations`;
  }

  /** Of those that were planned, how many found something that they could harm. */
  #shareOf(kind: FaultKind): string {
    return `${kind} ${String(this.#struck.get(kind) ?? 0)} of ${String(this.#planned.get(kind) ?? 0)}`;
  }

  lines(realMs: number): readonly string[] {
    const { ok, failed, unknown } = this.#operations;
    const { missed } = this.#probes;
    const seconds = this.#simulatedMs / 1000;
    return [
      `seeds                ${String(this.#runs)}`,
      `simulated            ${(seconds / 3600).toFixed(2)} hours, ${(seconds / (realMs / 1000)).toFixed(0)} seconds a second`,
      `events               ${String(this.#steps)}`,
      `operations           ${String(ok)} answered, ${String(failed)} refused, ${String(unknown)} unknown`,
      `slowest recovery     ${String(this.#slowestRecoveryMs)} simulated ms`,
      `violations           ${seedsText(this.#failed)}`,
      `undecided            ${seedsText(this.#undecided)}`,
      `faults               ${faultKinds.map((kind) => this.#shareOf(kind)).join(", ")} that were planned struck`,
      "probes               " +
        probeNames.map((probe) => `${probe} ${String(this.#probes.count(probe))}`).join(", "),
      `probes never reached ${missed.length === 0 ? "none" : missed.join(", ")}`,
    ];
  }
}

const count = (counts: Map<FaultKind, number>, kind: FaultKind): void => {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
};

const seedsText = (seeds: readonly number[]): string =>
  seeds.length === 0 ? "none" : `${String(seeds.length)}: seeds ${seeds.join(", ")}`;
