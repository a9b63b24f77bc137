import { Histogram } from "../../workload/histogram.ts";
import type { Answered } from "./keep-alive-call.ts";

/** What became of the keep-alives of all leases. */
export interface KeepAlives {
  readonly sent: number;
  readonly answered: number;
  /** The lease was gone, or its time was over before there was an answer. */
  readonly missed: number;
  /** From when a keep-alive was meant to be sent until it was answered, after the warm-up: of so many. */
  readonly measured: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Knows until when each lease lives, as its client does: counted from the last answer. */
export class LeaseLedger {
  readonly #ttlMs: number;
  /** By lease; 0: not granted, or known to be gone. */
  readonly #deadlinesMs: Float64Array;
  readonly #latencies = new Histogram();
  #measured = { fromMs: Number.POSITIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY };
  #sent = 0;
  #answered = 0;
  #missed = 0;

  /** Leases are numbered from 1. */
  constructor({ leases, ttlSeconds }: { readonly leases: number; readonly ttlSeconds: number }) {
    this.#ttlMs = ttlSeconds * 1000;
    this.#deadlinesMs = new Float64Array(leases + 1);
  }

  granted(lease: number, atMs: number): void {
    this.#deadlinesMs[lease] = atMs + this.#ttlMs;
  }

  /** Whether there is something to keep alive. */
  isThere(lease: number): boolean {
    return (this.#deadlinesMs[lease] ?? 0) > 0;
  }

  asked(): void {
    this.#sent += 1;
  }

  answered({ lease, ttlSeconds, intendedMs, answeredMs }: Answered): void {
    this.#answered += 1;
    const { fromMs, untilMs } = this.#measured;
    if (intendedMs >= fromMs && intendedMs < untilMs) this.#latencies.record(answeredMs - intendedMs);
    if (ttlSeconds <= 0 || answeredMs > (this.#deadlinesMs[lease] ?? 0)) this.#missed += 1;
    this.#deadlinesMs[lease] = ttlSeconds <= 0 ? 0 : answeredMs + this.#ttlMs;
  }

  /** There will be no answer to so many. */
  unanswered(keepAlives: number): void {
    this.#missed += keepAlives;
  }

  /** Those that were meant to be sent at this moment or later, which is to be told before. */
  measureFrom(fromMs: number): void {
    this.#measured = { ...this.#measured, fromMs };
  }

  measureUntil(untilMs: number): void {
    this.#measured = { ...this.#measured, untilMs };
  }

  get missed(): number {
    return this.#missed;
  }

  get keepAlives(): KeepAlives {
    return {
      sent: this.#sent,
      answered: this.#answered,
      missed: this.#missed,
      measured: this.#latencies.count,
      p50Ms: this.#latencies.percentileMs(0.5),
      p99Ms: this.#latencies.percentileMs(0.99),
      maxMs: this.#latencies.maxMs,
    };
  }
}
