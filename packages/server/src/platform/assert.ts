/** Throws when a fact that the program relies on does not hold; the message is the fact. */
export function assert(fact: boolean, message: string): asserts fact {
  if (!fact) throw new Error(`assertion failed: ${message}`);
}
