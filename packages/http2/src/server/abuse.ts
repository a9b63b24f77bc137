import { ConnectionError } from "../connection-error.ts";
import { errorCode } from "../frames.ts";
import type { Rate } from "./limits.ts";

/** Lets something happen so often: a bucket of tokens, filled with time. */
export class Allowance {
  readonly #what: string;
  readonly #rate: Rate;
  readonly #nowMs: () => number;
  #left: number;
  #filledMs: number;

  constructor(what: string, rate: Rate, nowMs: () => number) {
    this.#what = what;
    this.#rate = rate;
    this.#nowMs = nowMs;
    this.#left = rate.burst;
    this.#filledMs = nowMs();
  }

  /** Throws a ConnectionError when it happens too often. */
  spend(): void {
    if (this.#left < 1) this.#fill();
    if (this.#left < 1) throw new ConnectionError(errorCode.enhanceYourCalm, `too many ${this.#what}`);
    this.#left -= 1;
  }

  #fill(): void {
    const nowMs = this.#nowMs();
    const { burst, perSecond } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#filledMs) * perSecond) / 1000);
    this.#filledMs = nowMs;
  }
}
