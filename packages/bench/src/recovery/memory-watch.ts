import { every, nowMs } from "../platform/clock.ts";
import { type ResidentMemory, residentMemory } from "../platform/resident-memory.ts";

const samplePeriodMs = 100;

export interface MemorySample extends ResidentMemory {
  readonly atMs: number;
}

/** How much more memory a process took than before. */
export interface MemoryGrowth {
  readonly beforeBytes: number;
  readonly peakBytes: number;
  readonly growthBytes: number;
  /** The same of its own memory, without mapped files; undefined where the machine does not tell. */
  readonly ownGrowthBytes: number | undefined;
}

/** Follows the resident memory of a process. */
export class MemoryWatch {
  readonly #samples: MemorySample[] = [];
  readonly #stop: () => void;

  constructor(pid: number) {
    const take = async (): Promise<void> => {
      const memory = await residentMemory(pid);
      if (memory !== undefined) this.#samples.push({ atMs: nowMs(), ...memory });
    };
    void take();
    this.#stop = every(samplePeriodMs, () => void take());
  }

  stop(): void {
    this.#stop();
  }

  between(fromMs: number, untilMs: number): readonly MemorySample[] {
    return this.#samples.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
  }
}

/**
 * From the middle of what it was to the most that it became: what comes and goes with garbage collection
 * counts as growth, too. Undefined where either was not sampled.
 */
export function memoryGrowth(
  before: readonly MemorySample[],
  during: readonly MemorySample[],
): MemoryGrowth | undefined {
  const total = growthOf(
    before.map(({ bytes }) => bytes),
    during.map(({ bytes }) => bytes),
  );
  if (total === undefined) return undefined;
  const own = growthOf(ownBytesOf(before), ownBytesOf(during));
  return {
    beforeBytes: total.before,
    peakBytes: total.peak,
    growthBytes: total.peak - total.before,
    ownGrowthBytes: own === undefined ? undefined : own.peak - own.before,
  };
}

function ownBytesOf(samples: readonly MemorySample[]): readonly number[] {
  return samples.map(({ ownBytes }) => ownBytes).filter((known) => known !== undefined);
}

function growthOf(
  before: readonly number[],
  during: readonly number[],
): { readonly before: number; readonly peak: number } | undefined {
  const middle = [...before].sort((one, other) => one - other)[Math.floor(before.length / 2)];
  return middle === undefined || during.length === 0
    ? undefined
    : { before: middle, peak: Math.max(...during) };
}
