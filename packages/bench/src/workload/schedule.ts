/**
 * When each call of an open loop is meant to be sent: evenly, whatever becomes of the calls before.
 *
 * Each moment is computed from the first one, so that nothing adds up and nothing is left out.
 */
export class Schedule {
  readonly #startMs: number;
  readonly #periodMs: number;
  #taken = 0;

  constructor({ startMs, perSecond }: { readonly startMs: number; readonly perSecond: number }) {
    this.#startMs = startMs;
    this.#periodMs = 1000 / perSecond;
  }

  /** Takes the next call if its moment has come, and tells that moment. */
  takeDue(nowMs: number): number | undefined {
    const nextMs = this.#startMs + this.#taken * this.#periodMs;
    if (nextMs > nowMs) return undefined;
    this.#taken += 1;
    return nextMs;
  }
}
