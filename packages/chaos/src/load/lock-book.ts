/**
 * Who held a lock when, and what was written under it: no two hold it at the same time, tokens rise from one
 * holder to the next, and what was written under a token stands before all that later ones wrote.
 */

/** By so much a timer may be late on a busy machine, by which a holder hears that it has lost the lock. */
const lateMs = 1_000;
/** What is remembered of the past. */
const most = 1_000;

interface Holding {
  readonly token: number;
  readonly fromMs: number;
  /** Until when its holder relied on it; undefined: it does still. */
  untilMs: number | undefined;
}

/** A write that was guarded by a token, and done. */
export interface GuardedWrite {
  readonly token: number;
  readonly revision: number;
  /** What {@link LockBook.greatestToken} was before it was asked for. */
  readonly above: number;
}

/** Each method resolves to what is wrong, if something is. */
export class LockBook {
  readonly #holdings: Holding[] = [];
  readonly #writes: GuardedWrite[] = [];
  #greatest = 0;

  /** Of those that holders were told of. Whoever asks for the lock from now on gets a greater one. */
  get greatestToken(): number {
    return this.#greatest;
  }

  /** @param above what {@link greatestToken} was before the lock was asked for */
  held(
    token: number,
    { above, nowMs }: { readonly above: number; readonly nowMs: number },
  ): string | undefined {
    if (token <= above)
      return `a lock was given with token ${String(token)}, after ${String(above)} was given`;
    const same = this.#holdings.find((one) => one.token === token);
    if (same !== undefined) return `two were given the lock with token ${String(token)}`;
    this.#greatest = Math.max(this.#greatest, token);
    this.#holdings.push({ token, fromMs: nowMs, untilMs: undefined });
    if (this.#holdings.length > most) this.#holdings.shift();
    return this.#overlap(nowMs);
  }

  /** Its holder does not rely on it any more. */
  ended(token: number, nowMs: number): string | undefined {
    const complaint = this.#overlap(nowMs);
    const own = this.#holdings.find((one) => one.token === token);
    if (own !== undefined) own.untilMs ??= nowMs;
    return complaint;
  }

  wrote(write: GuardedWrite): string | undefined {
    const { token, revision, above } = write;
    const under = `a write under token ${String(token)} was done at revision ${String(revision)}`;
    if (token < above) return `${under}, asked for after token ${String(above)} was given`;
    if (revision <= token) return `${under}, before the token was there`;
    const other = this.#writes.find(
      (one) => one.token !== token && one.token < token !== one.revision < revision,
    );
    if (other !== undefined)
      return `${under}, another under token ${String(other.token)} at revision ${String(other.revision)}`;
    this.#writes.push(write);
    if (this.#writes.length > most) this.#writes.shift();
    return undefined;
  }

  /** Two that both rely on it, for longer than it takes to hear that it is lost. */
  #overlap(nowMs: number): string | undefined {
    const holders = this.#holdings.filter(({ untilMs }) => untilMs === undefined);
    const [first, second] = holders.sort((a, b) => a.fromMs - b.fromMs);
    if (first === undefined || second === undefined || nowMs - second.fromMs <= lateMs) return undefined;
    const forMs = (nowMs - second.fromMs).toFixed(0);
    return `two hold the lock for ${forMs} ms, with tokens ${String(first.token)} and ${String(second.token)}`;
  }
}
