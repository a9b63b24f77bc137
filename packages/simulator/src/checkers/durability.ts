/** Durability: a write that was acknowledged is in the log that everybody applies, as what it was. */
import { SafetyViolation, type Truth } from "./truth.ts";

export interface AcknowledgedWrite {
  readonly key: string;
  /** Undefined for a delete. */
  readonly value: string | undefined;
  readonly revision: number;
}

export class Durability {
  readonly #truth: Truth;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  acknowledged({ key, value, revision }: AcknowledgedWrite): void {
    const index = this.#truth.indexOfRevision(revision);
    if (index === undefined)
      throw new SafetyViolation(
        `a write of ${key} was acknowledged at revision ${String(revision)}, which nobody made`,
      );
    const change = this.#truth
      .changesAt(index)
      .find((each) => each.key === key && each.revision === revision);
    if (change === undefined || change.version?.value !== value)
      throw new SafetyViolation(
        `revision ${String(revision)} was acknowledged to the writer of ${key}, and is another's`,
      );
  }
}
