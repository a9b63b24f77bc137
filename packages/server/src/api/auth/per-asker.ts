/** What is made once for each who asks, as long as those are not too many. */
import type { Asker } from "./guard.ts";

/** It is small, and quickly made again. */
const mostKept = 256;

export class PerAsker<Made> {
  /** For those who have not said who they are. */
  readonly nobodys: Made;
  readonly #make: (asker: Asker) => Made;
  readonly #made = new Map<string, Made>();

  constructor(make: (asker: Asker) => Made) {
    this.#make = make;
    this.nobodys = make(undefined);
  }

  of(asker: Asker): Made {
    if (asker === undefined) return this.nobodys;
    const known = this.#made.get(asker);
    if (known !== undefined) return known;
    const [oldest] = this.#made.size >= mostKept ? this.#made.keys() : [];
    if (oldest !== undefined) this.#made.delete(oldest);
    const made = this.#make(asker);
    this.#made.set(asker, made);
    return made;
  }
}
