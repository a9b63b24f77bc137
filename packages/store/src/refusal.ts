import type { RefusalReason } from "./results.ts";

/** Ends a command that has changed nothing yet. Becomes a result: every member refuses the same commands. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(`refused: ${reason}`);
    this.reason = reason;
  }
}
