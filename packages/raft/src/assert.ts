/** An impossible state: a bug here or in a peer, or a disk that forgot. Nobody catches it below main. */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

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
