/** The operations of a pipe that are not answered. */
import { DkvClientError } from "./errors.ts";
import { every, jittered, nowMs, sleep } from "./platform/time.ts";
import { backoffMs, formatDuration } from "./retry.ts";
import type { Piped, PipedAnswer, PipedOperation } from "./wire/pipe-messages.ts";

export interface PendingOperation {
  readonly operation: PipedOperation;
  readonly signal: AbortSignal | undefined;
  /** Is given what the answer of that kind has. */
  resolve(result: unknown): void;
  reject(error: DkvClientError): void;
}

interface Entry extends PendingOperation {
  readonly id: number;
  /** Counts from when it is first sent: how long it waits for that is up to who gives so many. */
  deadlineMs: number | undefined;
  /** Times that it was refused. */
  refusals: number;
  /** Takes the listener from the caller's signal. */
  forget(): void;
}

/** How often deadlines are looked at. */
const sweepMs = 100;

export class PendingOperations {
  readonly #maxInFlight: number;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Entry>();
  readonly #sent = new Map<number, Entry>();
  /** Refused by the member, and to be sent again in a while. */
  readonly #resting = new Map<number, Entry>();
  #lastId = 0;
  #change = Promise.withResolvers<void>();
  #stopSweeping: (() => void) | undefined;

  constructor({ maxInFlight, timeoutMs }: { readonly maxInFlight: number; readonly timeoutMs: number }) {
    this.#maxInFlight = maxInFlight;
    this.#timeoutMs = timeoutMs;
  }

  get isEmpty(): boolean {
    return this.#waiting.size + this.#sent.size + this.#resting.size === 0;
  }

  /** Resolves when something is to be sent, or all is answered, or somebody calls `wake`. */
  async changed(): Promise<void> {
    await this.#change.promise;
  }

  wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async whenEmpty(): Promise<void> {
    while (!this.isEmpty) await this.changed();
  }

  add(pending: PendingOperation): void {
    const { signal } = pending;
    this.#lastId += 1;
    const id = this.#lastId;
    const onAbort = (): void => {
      this.#cancel(id);
    };
    const forget = (): void => signal?.removeEventListener("abort", onAbort);
    const entry: Entry = { ...pending, id, deadlineMs: undefined, refusals: 0, forget };
    if (signal?.aborted === true) {
      entry.reject(canceled(entry, "notApplied"));
      return;
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiting.set(id, entry);
    this.#stopSweeping ??= every(sweepMs, () => {
      this.#sweep();
    });
    this.wake();
  }

  /** The next one to send, if there is one and not too many are under way. It counts as sent. */
  send(): Piped | undefined {
    if (this.#sent.size >= this.#maxInFlight) return undefined;
    for (const [id, entry] of this.#waiting) {
      this.#waiting.delete(id);
      this.#sent.set(id, entry);
      entry.deadlineMs ??= nowMs() + this.#timeoutMs;
      return { id, operation: entry.operation };
    }
    return undefined;
  }

  /** One that took no effect is sent again, as long as it has time. */
  answer(answer: PipedAnswer): void {
    const entry = this.#sent.get(answer.id);
    if (entry === undefined) return;
    if (!("error" in answer)) {
      if (answer.kind === entry.operation.kind) this.#end(entry, () => entry.resolve(answer.result));
      else this.#end(entry, () => entry.reject(mixedUp()));
      return;
    }
    const { error } = answer;
    const pauseMs = jittered(backoffMs(entry.refusals));
    if (error.retry !== "notApplied" || nowMs() + pauseMs >= (entry.deadlineMs ?? 0)) {
      this.#end(entry, () => entry.reject(error));
      return;
    }
    entry.refusals += 1;
    this.#sent.delete(entry.id);
    this.#resting.set(entry.id, entry);
    void sleep(pauseMs).then(() => {
      if (this.#resting.delete(entry.id)) this.#putBack(entry);
    });
    this.wake();
  }

  /** The stream broke. What is known to be harmless, or not to have happened, is sent again. */
  lose(error: DkvClientError): void {
    const isUntouched = error.code === "connection_lost" && error.retry === "notApplied";
    for (const entry of this.#sent.values()) {
      this.#sent.delete(entry.id);
      if (isUntouched || isRead(entry)) this.#waiting.set(entry.id, entry);
      else this.#end(entry, () => entry.reject(ofUnknownOutcome(error)));
    }
    this.wake();
  }

  /** No member takes any of them. What was sent may have taken effect, unless it is known that it did not. */
  failAll(error: DkvClientError, sentOutcome: "known" | "unknown"): void {
    for (const entry of this.#sent.values()) {
      const isOpen = sentOutcome === "unknown" && !isRead(entry);
      this.#end(entry, () => entry.reject(isOpen ? ofUnknownOutcome(error) : error));
    }
    for (const entry of [...this.#waiting.values(), ...this.#resting.values()])
      this.#end(entry, () => entry.reject(error));
  }

  #putBack(entry: Entry): void {
    this.#waiting.set(entry.id, entry);
    this.wake();
  }

  #cancel(id: number): void {
    const sent = this.#sent.get(id);
    const entry = sent ?? this.#waiting.get(id) ?? this.#resting.get(id);
    if (entry === undefined) return;
    this.#end(entry, () =>
      entry.reject(canceled(entry, sent === undefined ? "notApplied" : outcomeOf(entry))),
    );
  }

  #sweep(): void {
    const now = nowMs();
    const isLate = ({ deadlineMs = Infinity }: Entry): boolean => deadlineMs <= now;
    for (const entry of [...this.#sent.values()].filter(isLate))
      this.#end(entry, () => entry.reject(this.#late(entry, outcomeOf(entry))));
    for (const entry of [...this.#waiting.values(), ...this.#resting.values()].filter(isLate))
      this.#end(entry, () => entry.reject(this.#late(entry, "notApplied")));
  }

  #late({ operation }: Entry, retry: "notApplied" | "outcomeUnknown"): DkvClientError {
    const outcome = retry === "outcomeUnknown" ? "; it may or may not have taken effect" : "";
    return new DkvClientError(
      { code: "deadline_exceeded", retry },
      `no member answered ${operation.kind} within ${formatDuration(this.#timeoutMs)}${outcome}`,
    );
  }

  #end(entry: Entry, settle: () => void): void {
    for (const map of [this.#sent, this.#waiting, this.#resting]) map.delete(entry.id);
    entry.forget();
    settle();
    if (this.isEmpty) {
      this.#stopSweeping?.();
      this.#stopSweeping = undefined;
    }
    this.wake();
  }
}

function isRead({ operation }: PendingOperation): boolean {
  return operation.kind === "get";
}

function outcomeOf(entry: Entry): "notApplied" | "outcomeUnknown" {
  return isRead(entry) ? "notApplied" : "outcomeUnknown";
}

function canceled({ operation, signal }: Entry, retry: "notApplied" | "outcomeUnknown"): DkvClientError {
  const options = { cause: signal?.reason };
  return new DkvClientError({ code: "canceled", retry }, `${operation.kind} was cancelled`, options);
}

function ofUnknownOutcome(error: DkvClientError): DkvClientError {
  if (error.retry === "outcomeUnknown") return error;
  return new DkvClientError(
    { code: error.code, retry: "outcomeUnknown" },
    `${error.message}; it may or may not have taken effect`,
    { cause: error },
  );
}

function mixedUp(): DkvClientError {
  return new DkvClientError(
    { code: "unknown", retry: "outcomeUnknown" },
    "a member answered one operation with the result of another",
  );
}
