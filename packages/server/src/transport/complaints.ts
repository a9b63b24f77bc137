/** Warnings about others, who must not be able to fill the log. */
import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";

/** The same complaint comes at most this often. */
const quietMs = 30_000;

/** Different ones remembered. Texts may be made by others, and must not fill the memory either. */
const maxRemembered = 256;

interface Told {
  readonly atMs: number;
  suppressed: number;
}

export class Complaints {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #told = new Map<string, Told>();

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Logs a warning, unless the same message about the same subject for the same reason was logged lately. */
  warn(
    message: string,
    {
      about,
      reason,
      ...fields
    }: { readonly about: string; readonly reason: string; readonly [field: string]: unknown },
  ): void {
    const key = `${message}\n${about}\n${reason}`;
    const before = this.#told.get(key);
    const nowMs = this.#clock.nowMs();
    if (before !== undefined && nowMs - before.atMs < quietMs) {
      before.suppressed += 1;
      return;
    }
    this.#told.delete(key);
    const [oldest] = this.#told.keys();
    if (this.#told.size >= maxRemembered && oldest !== undefined) this.#told.delete(oldest);
    this.#told.set(key, { atMs: nowMs, suppressed: 0 });
    const repeated = before === undefined || before.suppressed === 0 ? {} : { repeated: before.suppressed };
    this.#logger.warn({ ...fields, reason, ...repeated }, message);
  }
}
