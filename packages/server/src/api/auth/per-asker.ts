/** What is made once for each who asks, as long as those are not too many. */
import { type Asker, isSameHash } from "./asker.ts";

/** It is small, and quickly made again. */
const mostKept = 256;

interface Kept<Made> {
  readonly asker: Asker;
  readonly made: Made;
}

export class PerAsker<Made> {
  /** For those who have not said who they are. */
  readonly nobodys: Made;
  readonly #make: (asker: Asker | undefined) => Made;
  /** What was made for an earlier password of a user is in nobody's way: it serves what began with it. */
  readonly #kept = new Map<string, Kept<Made>>();

  constructor(make: (asker: Asker | undefined) => Made) {
    this.#make = make;
    this.nobodys = make(undefined);
  }

  of(asker: Asker | undefined): Made {
    if (asker === undefined) return this.nobodys;
    const key = `${asker.passwordHash === undefined ? "certificate" : "password"} ${asker.name}`;
    const known = this.#kept.get(key);
    if (known !== undefined && isSame(known.asker, asker)) return known.made;
    this.#kept.delete(key);
    const [oldest] = this.#kept.size >= mostKept ? this.#kept.keys() : [];
    if (oldest !== undefined) this.#kept.delete(oldest);
    const made = this.#make(asker);
    this.#kept.set(key, { asker, made });
    return made;
  }
}

/** Of one name, and both with a password or both without. */
const isSame = ({ passwordHash: one }: Asker, { passwordHash: other }: Asker): boolean =>
  one === undefined || other === undefined || isSameHash(one, other);
