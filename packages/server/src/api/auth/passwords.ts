/**
 * Passwords, which are kept as bcrypt hashes. To hash takes tens of milliseconds of a thread, by intention,
 * in the pool that the disk is written by as well: so few are hashed at a time, and the others wait.
 */
import { compare, hash } from "bcrypt";
import { DkvError } from "../../platform/errors.ts";

/** What bcrypt reads of a password; it passes over the rest without a word. */
const mostBytes = 72;

/** Of the four threads that there are. */
const atOnce = 2;
const mostWaiting = 256;

export interface Passwords {
  /** What is kept of a password. Rejects with a DkvError. */
  hashOf(password: string): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Takes as long where there is no hash, lest names be tried by the time that it takes. Rejects with a
   * DkvError.
   *
   * @param kept undefined: no password matches
   */
  matches(password: string, kept: Uint8Array | undefined): Promise<boolean>;
}

/** @param cost of new hashes: one more takes twice as long */
export function createPasswords(cost: number): Passwords {
  const turns = new Queue();
  const nobodys = hashOfNothing(cost);
  return {
    async hashOf(password) {
      if (Buffer.byteLength(password) > mostBytes)
        throw new DkvError("invalidRequest", `a password has at most ${String(mostBytes)} bytes`);
      return turns.run(async () => Uint8Array.from(Buffer.from(await hash(password, cost))));
    },
    async matches(password, kept) {
      const isKept = kept !== undefined && kept.length > 0 && Buffer.byteLength(password) <= mostBytes;
      const text = isKept ? Buffer.from(kept).toString("latin1") : nobodys;
      return (await turns.run(async () => compare(password, text))) && isKept;
    },
  };
}

/** In the place of a hash that there is not: no password is known to have this one, and to compare takes as long. */
const hashOfNothing = (cost: number): string => `$2b$${String(cost).padStart(2, "0")}$${"e".repeat(53)}`;

class Queue {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** Rejects with a DkvError where too many wait. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= atOnce) {
      if (this.#waiting.length >= mostWaiting)
        throw new DkvError("overloaded", "too many passwords wait to be checked: try again in a moment");
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    } else {
      this.#running += 1;
    }
    try {
      return await work();
    } finally {
      // Whoever is next takes the place over.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
