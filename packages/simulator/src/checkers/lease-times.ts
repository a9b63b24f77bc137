/**
 * A lease lives for all of its time after it was granted, or kept alive, as far as its holder was told.
 * Time is that of the machine which leads when the lease expires: its clock may be wrong, and jump, but it
 * has to have counted all of it since the holder asked.
 */
import { SafetyViolation, type Truth } from "./truth.ts";

/** What each machine's clock showed, in microseconds. */
export type Readings = readonly number[];

export interface LeaseTimesDeps {
  readonly truth: Truth;
  readonly readings: () => Readings;
  /** The machine of the member that leads, or has led, in a term. */
  readonly leaderOf: (term: number) => number | undefined;
}

interface Expiry {
  readonly leader: number;
  readonly readings: Readings;
}

interface Promised {
  readonly ttl: bigint;
  readonly asked: Readings;
}

export class LeaseTimes {
  readonly #deps: LeaseTimesDeps;
  readonly #expired = new Map<bigint, Expiry>();
  readonly #promised = new Map<bigint, Promised>();

  constructor(deps: LeaseTimesDeps) {
    this.#deps = deps;
  }

  get expiries(): number {
    return this.#expired.size;
  }

  /** To be given back with what is promised then. */
  now(): Readings {
    return this.#deps.readings();
  }

  /** Its holder was told that it lives for so many seconds. @param asked when the holder had asked for that */
  promised(id: bigint, ttl: bigint, asked: Readings): void {
    const promised = { ttl, asked };
    this.#promised.set(id, promised);
    const expiry = this.#expired.get(id);
    if (expiry !== undefined) check(id, promised, expiry);
  }

  /** An entry of a term has ended these because their time was up. */
  ended(ids: readonly bigint[], term: number): void {
    const leader = this.#deps.leaderOf(term);
    if (leader === undefined)
      throw new SafetyViolation(`leases expired in term ${String(term)}, and nobody led`);
    const expiry = { leader, readings: this.#deps.readings() };
    for (const id of ids) {
      this.#expired.set(id, expiry);
      const promised = this.#promised.get(id);
      if (promised !== undefined) check(id, promised, expiry);
    }
  }
}

/** A machine that came later knows nothing of the time before. */
function check(id: bigint, { ttl, asked }: Promised, { leader, readings }: Expiry): void {
  const countedUs = (readings[leader] ?? 0) - (asked[leader] ?? Number.NEGATIVE_INFINITY);
  if (countedUs < Number(ttl) * 1_000_000)
    throw new SafetyViolation(
      `lease ${String(id)} was to live for ${String(ttl)} s, and has expired when machine ${String(leader)}, ` +
        `which led, had counted ${(countedUs / 1_000_000).toFixed(3)} s`,
    );
}
