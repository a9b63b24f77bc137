import { assert } from "../assert.ts";
import { ErrorKinds } from "../workload/error-kinds.ts";
import { Histogram } from "../workload/histogram.ts";
import type { Outcome } from "../workload/open-loop.ts";

/** The calls of one phase of a load. */
export interface PhaseMeasurement {
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** How late the load generator itself sent them; it is part of the latencies. */
  readonly sendLagP99Ms: number;
  readonly errors: number;
  readonly errorKinds: Readonly<Record<string, number>>;
}

interface Phase {
  readonly name: string;
  readonly fromMs: number;
  readonly latencies: Histogram;
  readonly sendLags: Histogram;
  readonly errors: ErrorKinds;
}

/**
 * Tells apart the phases of a load that goes on through all of them.
 *
 * A call belongs to the phase in which it was meant to be sent, however late it is answered, and its latency
 * counts from that moment: a stall is seen by all calls that it held up, also by those not yet sent.
 */
export class Phases {
  readonly #phases: Phase[] = [];

  /** Ends the phase before. */
  begin(name: string, fromMs: number): void {
    const last = this.#phases.at(-1);
    assert(last === undefined || last.fromMs <= fromMs, "phases follow each other");
    this.#phases.push({
      name,
      fromMs,
      latencies: new Histogram(),
      sendLags: new Histogram(),
      errors: new ErrorKinds(),
    });
  }

  /** A call from before the first phase is left out. */
  record({ intendedMs, sentMs, endedMs, problem }: Outcome): void {
    const phase = this.#phases.findLast(({ fromMs }) => fromMs <= intendedMs);
    if (phase === undefined) return;
    phase.sendLags.record(sentMs - intendedMs);
    if (problem === undefined) phase.latencies.record(endedMs - intendedMs);
    else phase.errors.count(problem);
  }

  /** To be asked when no call of the phase is open any more. */
  measurement(name: string): PhaseMeasurement {
    const phase = this.#phases.find((candidate) => candidate.name === name);
    assert(phase !== undefined, `there was a phase ${name}`);
    const { latencies, sendLags, errors } = phase;
    return {
      calls: latencies.count,
      p50Ms: latencies.percentileMs(0.5),
      p99Ms: latencies.percentileMs(0.99),
      p999Ms: latencies.percentileMs(0.999),
      maxMs: latencies.maxMs,
      sendLagP99Ms: sendLags.percentileMs(0.99),
      errors: errors.total,
      errorKinds: errors.byKind,
    };
  }
}
