import { every } from "../platform/clock.ts";
import { ownCpuSeconds, type ProcessUsage, usageOf } from "../platform/process-usage.ts";
import type { MemberProcess } from "../systems/system.ts";

const samplePeriodMs = 250;

/** What one member took. Undefined where the machine does not tell. */
export interface MemberUsage {
  readonly name: string;
  readonly cpuSeconds: number | undefined;
  readonly residentBytes: { readonly start: number; readonly end: number; readonly max: number } | undefined;
}

/** What everybody took during the measured time of a row. */
export interface Usage {
  readonly members: readonly MemberUsage[];
  /** CPU seconds of the load generator itself, all its threads. */
  readonly benchCpuSeconds: number;
  /** CPU seconds of the members of the other cluster, which is idle. */
  readonly idleCpuSeconds: number;
}

/** Watches processes between {@link start} and {@link stop}. */
export class UsageMeter {
  readonly #watched: { readonly members: readonly MemberProcess[]; readonly idle: readonly MemberProcess[] };
  /** Ends the stretch that is being watched; undefined when there is none. */
  #end: (() => Usage) | undefined;
  #usage: Usage = { members: [], benchCpuSeconds: 0, idleCpuSeconds: 0 };

  constructor(watched: {
    readonly members: readonly MemberProcess[];
    readonly idle: readonly MemberProcess[];
  }) {
    this.#watched = watched;
  }

  start(): void {
    const members = this.#watched.members.map((member) => new Samples(member));
    const idle = this.#watched.idle.map((member) => new Samples(member));
    const ownBefore = ownCpuSeconds();
    const stopSampling = every(samplePeriodMs, () => {
      for (const samples of members) samples.take();
    });
    this.#end = () => {
      stopSampling();
      return {
        members: members.map((samples) => samples.finish()),
        benchCpuSeconds: ownCpuSeconds() - ownBefore,
        idleCpuSeconds: idle.reduce((sum, samples) => sum + (samples.finish().cpuSeconds ?? 0), 0),
      };
    };
  }

  /** Calling it again does nothing. */
  stop(): void {
    this.#usage = this.#end?.() ?? this.#usage;
    this.#end = undefined;
  }

  get usage(): Usage {
    return this.#usage;
  }
}

class Samples {
  readonly #member: MemberProcess;
  readonly #taken: ProcessUsage[] = [];

  constructor(member: MemberProcess) {
    this.#member = member;
    this.take();
  }

  take(): void {
    const usage = usageOf(this.#member.pid);
    if (usage !== undefined) this.#taken.push(usage);
  }

  finish(): MemberUsage {
    this.take();
    const { name } = this.#member;
    const first = this.#taken[0];
    const last = this.#taken.at(-1);
    if (first === undefined || last === undefined) {
      return { name, cpuSeconds: undefined, residentBytes: undefined };
    }
    return {
      name,
      cpuSeconds: last.cpuSeconds - first.cpuSeconds,
      residentBytes: {
        start: first.residentBytes,
        end: last.residentBytes,
        max: Math.max(...this.#taken.map((usage) => usage.residentBytes)),
      },
    };
  }
}
