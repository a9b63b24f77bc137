import { ErrorKinds } from "./error-kinds.ts";
import { Histogram } from "./histogram.ts";

/** What a row measured. */
export interface Measurement {
  /** Calls that succeeded within the measured time. */
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  readonly errors: number;
  /** How often each kind of error occurred, in the whole row and not just the measured part. */
  readonly errorKinds: Readonly<Record<string, number>>;
}

/**
 * Gathers the outcomes of one row.
 *
 * A call counts towards the rate if it ends within the measured time, and towards the latencies if it ends
 * after the warm-up: those that are still open at the end are waited for, so that a server which stops
 * answering cannot look fast. Errors count at any time.
 */
export class Recorder {
  readonly #fromMs: number;
  readonly #untilMs: number;
  readonly #latencies = new Histogram();
  readonly #errors = new ErrorKinds();
  #calls = 0;

  constructor(window: { readonly fromMs: number; readonly untilMs: number }) {
    this.#fromMs = window.fromMs;
    this.#untilMs = window.untilMs;
  }

  isOver(atMs: number): boolean {
    return atMs >= this.#untilMs;
  }

  succeeded(startedMs: number, endedMs: number): void {
    if (endedMs < this.#fromMs) return;
    this.#latencies.record(endedMs - startedMs);
    if (endedMs < this.#untilMs) this.#calls += 1;
  }

  failed(kind: string): void {
    this.#errors.count(kind);
  }

  get calls(): number {
    return this.#calls;
  }

  measurement(): Measurement {
    return {
      calls: this.#calls,
      callsPerSecond: (this.#calls * 1000) / (this.#untilMs - this.#fromMs),
      meanMs: this.#latencies.meanMs,
      p50Ms: this.#latencies.percentileMs(0.5),
      p99Ms: this.#latencies.percentileMs(0.99),
      p999Ms: this.#latencies.percentileMs(0.999),
      maxMs: this.#latencies.maxMs,
      errors: this.#errors.total,
      errorKinds: this.#errors.byKind,
    };
  }
}
