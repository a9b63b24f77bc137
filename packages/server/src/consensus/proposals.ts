/**
 * The writes that callers of this member wait for, from the call to the answer.
 *
 *   waiting ──▶ handed to the leader of a term (perhaps ourselves) ──▶ applied here: the caller's answer
 *      ▲                 │
 *      └─────────────────┘  refused by it, or an entry of a later term was applied first
 *
 * A leader appends what it is handed in its own term or not at all, and along the log terms never
 * decrease. So when an entry of a later term has been applied and the command has not, it never will be
 * (Raft §5.3, Log Matching): it has had no effect, and may be proposed again. That is the only way in
 * which a command is proposed twice. What is not decided when its time is up is reported as unknown,
 * never as failed.
 */
import type { Term } from "@dkv/raft";
import type { ApplyResult } from "@dkv/store";
import { DkvError } from "../platform/errors.ts";

type Stage = { readonly kind: "waiting" } | { readonly kind: "handedOn"; readonly term: Term };

/** One write that somebody waits for. */
export interface Pending {
  readonly sequence: number;
  /** The encoded command. */
  readonly command: Uint8Array;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  stage: Stage;
  readonly resolve: (result: ApplyResult) => void;
  readonly reject: (error: DkvError) => void;
}

export interface ProposalLimits {
  /** Writes waited for at once. */
  readonly count: number;
  /** Bytes of their commands together. */
  readonly bytes: number;
}

const waiting: Stage = { kind: "waiting" };

export class Proposals {
  readonly #limits: ProposalLimits;
  readonly #pending = new Map<number, Pending>();
  #waiting: Pending[] = [];
  #bytes = 0;
  #sequence = 0;
  /** No deadline is earlier than this, so most ticks need not look at any. */
  #earliestDeadlineMs = Number.POSITIVE_INFINITY;

  constructor(limits: ProposalLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** A number for the next command. Wraps after 2^32, long after its earlier bearer has been answered. */
  nextSequence(): number {
    do {
      this.#sequence = (this.#sequence + 1) >>> 0;
    } while (this.#pending.has(this.#sequence));
    return this.#sequence;
  }

  /** Queues an encoded command. Rejects at once with `overloaded` when too much is waiting already. */
  add(
    sequence: number,
    command: Uint8Array,
    time: { nowMs: number; timeoutMs: number },
  ): Promise<ApplyResult> {
    if (this.#pending.size >= this.#limits.count || this.#bytes + command.length > this.#limits.bytes) {
      return Promise.reject(overloaded());
    }
    const deadlineMs = time.nowMs + time.timeoutMs;
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        sequence,
        command,
        deadlineMs,
        timeoutMs: time.timeoutMs,
        stage: waiting,
        resolve,
        reject,
      };
      this.#pending.set(sequence, pending);
      this.#waiting.push(pending);
      this.#bytes += command.length;
      if (deadlineMs < this.#earliestDeadlineMs) this.#earliestDeadlineMs = deadlineMs;
    });
  }

  /**
   * Takes what has to be proposed or forwarded and is still waited for. Give back with {@link putBack} what
   * could not be.
   */
  takeWaiting(): readonly Pending[] {
    if (this.#waiting.length === 0) return this.#waiting;
    const taken = this.#waiting.filter((pending) => this.#pending.get(pending.sequence) === pending);
    this.#waiting = [];
    return taken;
  }

  putBack(list: readonly Pending[]): void {
    this.#waiting = [...list, ...this.#waiting];
  }

  /** The list was given to the leader of `term`. */
  handedOn(list: readonly Pending[], term: Term): void {
    const stage: Stage = { kind: "handedOn", term };
    for (const pending of list) pending.stage = stage;
  }

  /** The leader did not propose this command. */
  refused(sequence: number): void {
    const pending = this.#pending.get(sequence);
    if (pending?.stage.kind === "handedOn") this.#wait(pending);
  }

  rejectOverloaded(sequence: number): void {
    const pending = this.#pending.get(sequence);
    if (pending !== undefined) this.#settle(pending).reject(overloaded());
  }

  /** One of our commands was applied: its caller, if there still is one, is answered. */
  applied(sequence: number, result: ApplyResult): void {
    const pending = this.#pending.get(sequence);
    if (pending !== undefined) this.#settle(pending).resolve(result);
  }

  /** An entry of `term` was applied, the first of that term: what was handed to earlier leaders is lost. */
  termApplied(term: Term): void {
    for (const pending of this.#pending.values()) {
      if (pending.stage.kind === "handedOn" && pending.stage.term < term) this.#wait(pending);
    }
  }

  /** Answers those whose time is up. `quorum` says in words how many members answer. */
  expire(nowMs: number, quorum: () => string): void {
    if (nowMs < this.#earliestDeadlineMs) return;
    let earliest = Number.POSITIVE_INFINITY;
    for (const pending of this.#pending.values()) {
      if (pending.deadlineMs <= nowMs) this.#settle(pending).reject(timeout(pending, quorum()));
      else if (pending.deadlineMs < earliest) earliest = pending.deadlineMs;
    }
    this.#earliestDeadlineMs = earliest;
  }

  /** Answers everybody: the member stops. */
  stop(): void {
    for (const pending of this.#pending.values()) {
      this.#settle(pending).reject(
        pending.stage.kind === "waiting"
          ? new DkvError("stopping", "this member is stopping; nothing was written, use another one")
          : new DkvError(
              "outcomeUnknown",
              "this member stopped while writing; the write may still take effect",
            ),
      );
    }
  }

  #wait(pending: Pending): void {
    pending.stage = waiting;
    this.#waiting.push(pending);
  }

  #settle(pending: Pending): Pending {
    this.#pending.delete(pending.sequence);
    this.#bytes -= pending.command.length;
    return pending;
  }
}

function overloaded(): DkvError {
  return new DkvError(
    "overloaded",
    "too many writes are waiting; nothing was written, try again a little later",
  );
}

function timeout(pending: Pending, quorum: string): DkvError {
  if (pending.stage.kind === "waiting") {
    return new DkvError("noLeader", `no quorum: the cluster has no leader (${quorum}); nothing was written`);
  }
  return new DkvError(
    "writeTimeout",
    `no quorum confirmed the write within ${String(Math.round(pending.timeoutMs))} ms (${quorum}); it may still take effect`,
  );
}
