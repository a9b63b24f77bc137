/** What a range gives outside of transactions: what was so at the revision that it names, whoever was asked. */
import type { RangeOperation, RangeResult } from "@dkv/store";
import { textOf } from "./result-text.ts";
import { answerOf } from "./true-store.ts";
import { SafetyViolation, type Truth } from "./truth.ts";

export class RangeReads {
  readonly #truth: Truth;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  read(operation: RangeOperation, result: RangeResult): void {
    const { store } = this.#truth;
    if (result.revision > store.revision)
      throw new SafetyViolation(`a range was read at revision ${String(result.revision)}, which nobody made`);
    const at = operation.revision > 0n ? Number(operation.revision) : result.revision;
    const meant = { kind: "range", revision: result.revision, ...answerOf(store.at(at), operation) } as const;
    const [found, expected] = [textOf(result, true), textOf(meant, true)];
    if (found !== expected)
      throw new SafetyViolation(`a range of revision ${String(at)} gave ${found}, not ${expected}`);
  }
}
