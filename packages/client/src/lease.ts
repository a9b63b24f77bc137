import { DkvClientError } from "./errors.ts";
import { grantLease, isIn, keepLeaseAlive, revokeLease } from "./lease-requests.ts";
import type { CallOptions } from "./options.ts";
import { jittered, nowMs, sleep } from "./platform/time.ts";
import type { Requests } from "./requests.ts";
import { backoffMs } from "./retry.ts";

/** So often within its time a lease is given all of it again. */
const renewalsPerTtl = 3;

/**
 * A lease that is kept alive until `close`. It is lost when the cluster says so, or when its time is over and
 * no member was reached that could have renewed it: it may be there still then, but nobody can rely on it.
 * Keeps the program from ending.
 */
export class Lease {
  readonly id: bigint;
  readonly #requests: Requests;
  readonly #lost = new AbortController();
  readonly #closing = new AbortController();
  #ttlSeconds: number;
  /** It lives at least until then, on this machine's clock. */
  #deadlineMs: number;
  #closed: Promise<void> | undefined;

  private constructor(
    requests: Requests,
    { id, ttlSeconds }: { readonly id: bigint; readonly ttlSeconds: number },
    startedMs: number,
  ) {
    this.id = id;
    this.#requests = requests;
    this.#ttlSeconds = ttlSeconds;
    this.#deadlineMs = startedMs + ttlSeconds * 1000;
  }

  /** Makes a lease. @throws DkvClientError */
  static async grant(requests: Requests, ttlSeconds: number, options: CallOptions): Promise<Lease> {
    const startedMs = nowMs();
    const lease = new Lease(requests, await grantLease(requests, ttlSeconds, options), startedMs);
    void lease.#keepAlive();
    return lease;
  }

  /** For how long it outlives a holder that is gone: what the cluster has granted. */
  get ttlSeconds(): number {
    return this.#ttlSeconds;
  }

  /** Aborted when the lease is lost; the reason is a DkvClientError `lease_lost`. Not when it is closed. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Ends the lease, and deletes its keys. That it is gone already is no error. @throws DkvClientError if no
   * member could be told: then it ends by itself, within its time
   */
  async close(options: CallOptions = {}): Promise<void> {
    this.#closing.abort();
    this.#closed ??= revokeLease(this.#requests, this.id, options).then(() => undefined);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #keepAlive(): Promise<void> {
    const stop = AbortSignal.any([this.#closing.signal, this.#requests.closed]);
    try {
      for (let failures = 0; ; ) {
        const pauseMs =
          failures === 0 ? (this.#ttlSeconds * 1000) / renewalsPerTtl : jittered(backoffMs(failures - 1));
        await sleep(Math.min(pauseMs, Math.max(0, this.#leftMs())), stop);
        const isRenewed = await this.#renew(stop);
        failures = isRenewed ? 0 : failures + 1;
      }
    } catch (error) {
      if (!stop.aborted || error === this.#requests.closed.reason) this.#lose(error);
    }
  }

  /** Whether it was renewed; if not, it can be tried again. Throws if it is lost. */
  async #renew(signal: AbortSignal): Promise<boolean> {
    const startedMs = nowMs();
    const timeoutMs = this.#leftMs();
    if (timeoutMs <= 0) throw new Error("its time is over, and no member was reached that could renew it");
    try {
      const { ttlSeconds } = await keepLeaseAlive(this.#requests, this.id, { signal, timeoutMs });
      this.#ttlSeconds = ttlSeconds;
      this.#deadlineMs = startedMs + ttlSeconds * 1000;
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (isIn(error, "lease_not_found") || !(error instanceof DkvClientError) || error.retry === "never")
        throw error;
      return false;
    }
  }

  #leftMs(): number {
    return this.#deadlineMs - nowMs();
  }

  #lose(cause: unknown): void {
    const why = cause instanceof Error ? cause.message : "the client is closed";
    const what = { code: "lease_lost", retry: "never" } as const;
    this.#lost.abort(new DkvClientError(what, `the lease is lost: ${why}`, { cause }));
  }
}
