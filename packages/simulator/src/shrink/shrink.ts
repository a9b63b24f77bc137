/**
 * Makes a failing run small: the same seed with fewer faults and less time, as long as it fails the same way.
 * What is left out changes nothing else, for faults and everything else draw from streams of their own.
 */
import type { Fault } from "../faults/schedule.ts";
import type { Outcome, RunOptions } from "../simulation.ts";

export interface Shrunk {
  readonly outcome: Outcome;
  /** Runs that it took. */
  readonly runs: number;
}

type Run = (options: RunOptions) => Promise<Outcome>;

/** @param mostRuns after which the smallest run so far is good enough */
export async function shrink(failed: Outcome, run: Run, mostRuns: number): Promise<Shrunk> {
  const search = new Search(failed, run, mostRuns);
  await search.shortenTime();
  await search.dropFaults();
  // With fewer faults it may fail sooner.
  await search.shortenTime();
  return { outcome: search.smallest, runs: search.runs };
}

class Search {
  smallest: Outcome;
  runs = 0;
  readonly #run: Run;
  readonly #mostRuns: number;
  readonly #kind: string;

  constructor(failed: Outcome, run: Run, mostRuns: number) {
    this.smallest = failed;
    this.#run = run;
    this.#mostRuns = mostRuns;
    this.#kind = kindOf(failed);
  }

  /** What came after the failure is of no use; nor is healing later than need be. */
  async shortenTime(): Promise<void> {
    const { swarm, simulatedMs } = this.smallest;
    const until = Math.max(1, Math.ceil(simulatedMs / 1000));
    for (const seconds of [until, Math.ceil(swarm.seconds / 2), Math.ceil(swarm.seconds / 4)]) {
      const isShorter = seconds < this.smallest.swarm.seconds;
      if (isShorter && this.runs < this.#mostRuns) await this.#try({ seconds });
    }
  }

  /** Halves, then quarters, and so on to single ones (Zeller's ddmin without its complements). */
  async dropFaults(): Promise<void> {
    let size = Math.ceil(this.smallest.faults.length / 2);
    while (size >= 1 && this.runs < this.#mostRuns) {
      let hasDropped = false;
      for (let from = 0; from < this.smallest.faults.length && this.runs < this.#mostRuns; ) {
        const rest = this.smallest.faults.filter((_, at) => at < from || at >= from + size);
        if (await this.#try({ faults: rest })) hasDropped = true;
        else from += size;
      }
      if (size === 1 && !hasDropped) return;
      size = Math.max(1, Math.floor(size / 2));
    }
  }

  async #try(less: { readonly seconds?: number; readonly faults?: readonly Fault[] }): Promise<boolean> {
    const { seed, swarm, faults } = this.smallest;
    const seconds = less.seconds ?? swarm.seconds;
    const kept = (less.faults ?? faults).filter(({ atUs }) => atUs <= seconds * 1_000_000);
    this.runs += 1;
    const outcome = await this.#run({ seed, swarm: { ...swarm, seconds }, faults: kept });
    if (kindOf(outcome) !== this.#kind) return false;
    this.smallest = outcome;
    return true;
  }
}

/** The same words with other numbers are the same failure. */
function kindOf({ violation }: Outcome): string {
  if (violation === undefined) return "";
  const [first = ""] = violation.message.split("\n");
  return `${violation.name}: ${first.replaceAll(/[\d.]+/g, "n").slice(0, 60)}`;
}
