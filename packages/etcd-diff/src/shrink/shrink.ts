/** Makes a stream in which two servers differ small: fewer steps, then plainer ones, on fresh servers each time. */
import { type Finding, kindOf } from "../compare/finding.ts";
import type { Outcome } from "../play/compare-run.ts";
import type { Step } from "../step.ts";
import { dropItems } from "./drop.ts";
import { simplerSteps } from "./simpler.ts";

export interface Shrunk {
  readonly steps: readonly Step[];
  readonly finding: Finding;
  /** How often servers were started for it. */
  readonly runs: number;
}

export interface Effort {
  /** Plays a stream on fresh servers. */
  readonly run: (steps: readonly Step[]) => Promise<Outcome>;
  /** Whether it is enough. */
  readonly isOver: () => boolean;
}

/** Lengths of the ends of the stream that are tried: mostly it does not take more. */
const ends = [10, 50, 200, 1000, 5000] as const;

/** Resolves to undefined if the two do not differ in this way again, not even after all the steps. */
export async function shrink(outcome: Outcome, effort: Effort): Promise<Shrunk | undefined> {
  if (outcome.finding === undefined) return undefined;
  const search = new Search(outcome.finding, effort);
  const all = outcome.steps.slice(0, outcome.finding.at + 1);
  const isRepeated = await search.fromTheEnd(all);
  if (!isRepeated) return undefined;
  await search.dropKinds();
  await search.dropSteps();
  await search.simplify();
  await search.dropSteps();
  return search.smallest;
}

class Search {
  smallest: Shrunk | undefined;
  #runs = 0;
  readonly #effort: Effort;
  readonly #kind: string;

  constructor(finding: Finding, effort: Effort) {
    this.#effort = effort;
    this.#kind = kindOf(finding);
  }

  get #steps(): readonly Step[] {
    return this.smallest?.steps ?? [];
  }

  /** Looks for a short end of the stream that will do. */
  async fromTheEnd(steps: readonly Step[]): Promise<boolean> {
    for (const length of ends) {
      if (length >= steps.length) break;
      if (await this.#try(steps.slice(-length))) return true;
    }
    return this.#try(steps);
  }

  /** All steps of one kind at once. */
  async dropKinds(): Promise<void> {
    const calls = new Set(this.#steps.map(({ call }) => call));
    for (const call of calls) await this.#try(this.#steps.filter((step) => step.call !== call));
  }

  async dropSteps(): Promise<void> {
    await dropItems(this.#steps, (steps) => this.#try(steps));
  }

  async simplify(): Promise<void> {
    for (let at = 0; at < this.#steps.length; at += 1) {
      while (await this.#simplifyAt(at));
    }
  }

  async #simplifyAt(at: number): Promise<boolean> {
    const step = this.#steps[at];
    if (step === undefined) return false;
    for (const simpler of simplerSteps(step)) {
      if (await this.#try(this.#steps.toSpliced(at, 1, simpler))) return true;
    }
    return false;
  }

  async #try(steps: readonly Step[]): Promise<boolean> {
    if (steps.length === 0 || this.#effort.isOver()) return false;
    this.#runs += 1;
    const { finding } = await this.#effort.run(steps);
    if (finding === undefined || kindOf(finding) !== this.#kind) return false;
    this.smallest = { steps: steps.slice(0, finding.at + 1), finding, runs: this.#runs };
    return true;
  }
}
