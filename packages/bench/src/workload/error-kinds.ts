/** Error texts beyond this many kinds are counted together: they may hold anything. */
const kindsMax = 12;
const otherKinds = "other errors";

/** Counts errors by their text, in bounded memory. */
export class ErrorKinds {
  readonly #kinds = new Map<string, number>();

  count(kind: string): void {
    const isCounted = this.#kinds.has(kind) || this.#kinds.size < kindsMax;
    const counted = isCounted ? kind : otherKinds;
    this.#kinds.set(counted, (this.#kinds.get(counted) ?? 0) + 1);
  }

  get total(): number {
    return [...this.#kinds.values()].reduce((sum, count) => sum + count, 0);
  }

  get byKind(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#kinds);
  }
}
