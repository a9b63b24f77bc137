/**
 * Mutual exclusion by leases: the fencing tokens of a lock rise from one holder to the next, and no two
 * believe at the same time that they hold it.
 */
import { SafetyViolation } from "./truth.ts";

interface Holder {
  readonly client: string;
  readonly token: number;
  /** Until when it relies on its lease, in microseconds. */
  untilUs: number;
}

export class Locks {
  readonly #beliefsAreKept: boolean;
  readonly #holders = new Map<string, Map<string, Holder>>();
  /** By lock: the greatest token that anybody was told of. */
  readonly #tokens = new Map<string, number>();

  /** @param beliefsAreKept whether no clock is wrong by more than the holders allow for */
  constructor(beliefsAreKept: boolean) {
    this.#beliefsAreKept = beliefsAreKept;
  }

  /** The token that whoever asks for the lock from now on has to be above. */
  greatestToken(lock: string): number {
    return this.#tokens.get(lock) ?? 0;
  }

  /** @param above what {@link greatestToken} was before the holder asked */
  acquired(
    lock: string,
    holder: Holder,
    { nowUs, above }: { readonly nowUs: number; readonly above: number },
  ): void {
    if (holder.token <= above)
      throw new SafetyViolation(
        `${holder.client} holds ${lock} with token ${String(holder.token)}, and ${String(above)} was given before`,
      );
    this.#tokens.set(lock, Math.max(this.greatestToken(lock), holder.token));
    const holders = this.#holders.get(lock) ?? new Map<string, Holder>();
    this.#holders.set(lock, holders.set(holder.client, holder));
    this.#check(lock, holder, nowUs);
  }

  /** Its lease was kept alive. */
  extended(
    lock: string,
    client: string,
    { nowUs, untilUs }: { readonly nowUs: number; readonly untilUs: number },
  ): void {
    const holder = this.#holders.get(lock)?.get(client);
    if (holder === undefined) return;
    holder.untilUs = Math.max(holder.untilUs, untilUs);
    this.#check(lock, holder, nowUs);
  }

  /** It does not believe that it holds the lock any more. */
  released(lock: string, client: string): void {
    this.#holders.get(lock)?.delete(client);
  }

  #check(lock: string, holder: Holder, nowUs: number): void {
    if (!this.#beliefsAreKept || holder.untilUs <= nowUs) return;
    for (const other of this.#holders.get(lock)?.values() ?? [])
      if (other !== holder && other.untilUs > nowUs)
        throw new SafetyViolation(
          `${holder.client} and ${other.client} both believe that they hold ${lock}, with tokens ` +
            `${String(holder.token)} and ${String(other.token)}`,
        );
  }
}
