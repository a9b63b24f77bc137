/** An impossible state: a bug here or in a peer, or a disk that forgot. Nobody catches it below main. */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

/**
 * The cluster relies on something that this node no longer has: its data was removed, or replaced by an
 * older copy. It must not take part, for it may have forgotten its vote as well.
 */
export class ForgottenPromise extends InvariantViolation {}

/**
 * Throws {@link InvariantViolation} unless `condition` holds. `fact` states in the positive what must be
 * true.
 */
export function assert(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new InvariantViolation(fact);
}

/** Closes a switch over a union: does not compile while a case is missing. */
export function unreachable(_missing: never): never {
  throw new InvariantViolation("every case of the union is handled");
}
