import type { MemberCalls } from "./calls.ts";
import { checkOptions } from "./checks.ts";
import { DkvClientError } from "./errors.ts";
import { deleteRequest, getRequest, setRequest } from "./key-requests.ts";
import type { DeleteResult, GetResult, SetResult } from "./keys.ts";
import { type Piping, piping } from "./option-names.ts";
import type { CallOptions, DeleteOptions, GetOptions, PipeOptions, SetOptions } from "./options.ts";
import { PendingOperations } from "./pipe-pending.ts";
import { jittered, sleep } from "./platform/time.ts";
import type { Requests } from "./requests.ts";
import { backoffMs } from "./retry.ts";
import { checkTxn, type Txn, type TxnResult } from "./txn.ts";
import type { Piped, PipedOperation } from "./wire/pipe-messages.ts";

/**
 * Many operations on one stream: each is done, durable and answered on its own, in any order, so that one
 * that depends on another has to wait for its answer. Each has the client's timeout, counted from when it
 * is sent.
 *
 * When the stream breaks, reads are sent again on a new one, and so is what had not been sent. A write that
 * was under way fails, and its outcome is unknown.
 */
export class Pipe {
  readonly #requests: Requests;
  readonly #pending: PendingOperations;
  #isRunning = false;
  #isClosing = false;
  /** Of streams that broke since one last gave an answer. */
  #round = 0;

  constructor(requests: Requests, { maxInFlight = 256 }: PipeOptions) {
    this.#requests = requests;
    this.#pending = new PendingOperations({ maxInFlight, timeoutMs: requests.timeoutMs });
  }

  /** As the client's `get`. */
  async get(key: string, given: Piping<GetOptions> = {}): Promise<GetResult | undefined> {
    const { signal, ...options } = checkOptions(given, piping.get);
    try {
      return await this.#add<GetResult>({ kind: "get", request: getRequest(key, options) }, signal);
    } catch (error) {
      if (error instanceof DkvClientError && error.code === "key_not_found") return undefined;
      throw error;
    }
  }

  /** As the client's `set`, without its repetitions. */
  async set(key: string, value: string | Uint8Array, given: Piping<SetOptions> = {}): Promise<SetResult> {
    const { signal, ...options } = checkOptions(given, piping.set);
    return this.#add<SetResult>({ kind: "set", request: setRequest(key, value, options) }, signal);
  }

  /** As the client's `delete`, without its repetitions. */
  async delete(key: string, given: Piping<DeleteOptions> = {}): Promise<DeleteResult> {
    const { signal, ...options } = checkOptions(given, piping.delete);
    return this.#add<DeleteResult>({ kind: "delete", request: deleteRequest(key, options) }, signal);
  }

  /** As the client's `txn`, without its repetitions. */
  async txn(txn: Txn, given: Piping<CallOptions> = {}): Promise<TxnResult> {
    const { signal } = checkOptions(given, piping.call);
    return this.#add<TxnResult>({ kind: "txn", request: checkTxn(txn) }, signal);
  }

  /** Takes nothing more, and resolves when all is answered. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#pending.wake();
    await this.#pending.whenEmpty();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #add<Result>(operation: PipedOperation, signal: AbortSignal | undefined): Promise<Result> {
    if (this.#isClosing || this.#requests.closed.aborted)
      throw new DkvClientError({ code: "closed", retry: "notApplied" }, "the pipe is closed");
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#pending.add({ operation, signal, resolve, reject });
    if (!this.#isRunning) {
      this.#isRunning = true;
      void this.#run();
    }
    return promise;
  }

  /** One stream after the other, as long as there is something to send. */
  async #run(): Promise<void> {
    do {
      await this.#runOnce();
      if (this.#pending.isEmpty) break;
      await sleep(jittered(backoffMs(this.#round)), this.#requests.closed).catch(() => undefined);
      this.#round += 1;
    } while (!this.#pending.isEmpty);
    this.#isRunning = false;
  }

  /** On one stream until it ends. */
  async #runOnce(): Promise<void> {
    const ending = new AbortController();
    const stop = AbortSignal.any([ending.signal, this.#requests.closed]);
    let isUsed = false;
    try {
      const calls = await this.#open();
      for await (const answer of calls.pipe(this.#outgoing(stop), stop)) {
        isUsed = true;
        this.#round = 0;
        this.#pending.answer(answer);
      }
      throw new DkvClientError(
        { code: "connection_lost", retry: "outcomeUnknown" },
        "a member has ended the pipe without a reason",
      );
    } catch (error) {
      this.#fail(error, isUsed);
    } finally {
      ending.abort();
    }
  }

  async #open(): Promise<MemberCalls> {
    try {
      return await this.#requests.perform({
        name: "pipe",
        // So that it goes to the leader. Nothing has happened when it is open.
        effect: "idempotent",
        call: async (calls) => Promise.resolve(calls),
      });
    } catch (error) {
      if (error instanceof DkvClientError) this.#pending.failAll(error, "known");
      throw error;
    }
  }

  #fail(error: unknown, isUsed: boolean): void {
    if (!(error instanceof DkvClientError)) throw error;
    if (this.#requests.closed.aborted) {
      const closed = { code: "closed", retry: "notApplied" } as const;
      this.#pending.failAll(new DkvClientError(closed, "the client was closed"), "unknown");
    } else if (error.retry === "never") {
      // One that could not be sent says nothing of those before it.
      const isKnown = !isUsed && error.code !== "invalid_request";
      this.#pending.failAll(error, isKnown ? "known" : "unknown");
    } else {
      this.#pending.lose(error);
    }
  }

  async *#outgoing(stop: AbortSignal): AsyncGenerator<Piped> {
    while (!stop.aborted) {
      const next = this.#pending.send();
      if (next !== undefined) yield next;
      else if (this.#isClosing && this.#pending.isEmpty) return;
      else await this.#pending.changed();
    }
  }
}
