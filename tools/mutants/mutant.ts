/** One guard, taken out of the code in one place, and who is expected to notice. */
export interface Mutant {
  /** What the code does without the guard, in words. */
  readonly does: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly guard: string;
  /** What takes its place; nothing unless said otherwise. */
  readonly instead?: string;
  /** Test files that ought to notice, as patterns from the root. Run one after the other until one does. */
  readonly tests: readonly string[];
}

/** The text of its file with the guard taken out; undefined unless that stands in it exactly once. */
export function mutated({ guard, instead = "" }: Mutant, source: string): string | undefined {
  const parts = source.split(guard);
  return parts.length === 2 ? parts.join(instead) : undefined;
}
