/**
 * The writes that callers of this member wait for, from the call to the answer.
 *
 *   waiting ──▶ handed to the leader of a term (perhaps ourselves) ──▶ applied here: the caller's answer
 *      ▲                 │
 *      └─────────────────┘  refused by it, not taken by the link,
 *                              or an entry of a later term was applied first
 *
 * A leader appends what it is handed in its own term or not at all, and along the log terms never
 * decrease. So when an entry of a later term has been applied and the command has not, it never will be
 * (Raft §5.3, Log Matching): it has had no effect, and may be proposed again. That is the only way in
 * which a command is proposed twice. A refusal counts only for the term in which the command is now handed
 * on: one that an earlier leader sent may arrive when the next has long put the command in its log. What is
 * not decided when its time is up is reported as unknown, never as failed.
 */
import type { Term } from "@dkv/raft";
import type { ApplyResult } from "@dkv/store";
import { DkvError } from "../platform/errors.ts";
import { leaderRefusal } from "./disk-reserve.ts";
import type { Refusal } from "../transport/peer-transport.ts";

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
  /** Waiting too, but not to be tried before {@link retry}. */
  #heldBack: Pending[] = [];
  #bytes = 0;
  #sequence = 0;
  #failures = 0;
  /** No deadline is earlier than this, so most ticks need not look at any. */
  #earliestDeadlineMs = Number.POSITIVE_INFINITY;

  constructor(limits: ProposalLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Those whose callers were not told what applying them gave: refused, late, or dropped. */
  get failures(): number {
    return this.#failures;
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
      this.#failures += 1;
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

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Takes what has to be proposed or forwarded and is still waited for, oldest first: at most so many bytes
   * of commands, or one command. Give back with {@link holdBack} what could not be.
   */
  takeWaiting(maxBytes: number): readonly Pending[] {
    let position = 0;
    let bytes = 0;
    const taken: Pending[] = [];
    for (const pending of this.#waiting) {
      bytes += pending.command.length;
      if (bytes > maxBytes && taken.length > 0) break;
      position += 1;
      if (this.#isWaitedFor(pending)) taken.push(pending);
    }
    this.#waiting = this.#waiting.slice(position);
    return taken;
  }

  /** No leader has these in its log. They wait until {@link retry}. */
  holdBack(list: readonly Pending[]): void {
    for (const pending of list) {
      pending.stage = waiting;
      this.#heldBack.push(pending);
    }
  }

  /** What was held back is to be taken again, before everything younger. */
  retry(): void {
    if (this.#heldBack.length === 0) return;
    this.#waiting = [...this.#heldBack, ...this.#waiting];
    this.#heldBack = [];
  }

  /** The list was given to the leader of `term`. */
  handedOn(list: readonly Pending[], term: Term): void {
    const stage: Stage = { kind: "handedOn", term };
    for (const pending of list) pending.stage = stage;
  }

  /** The leader of that term did not propose this command. */
  refused({ sequence, term, code }: Omit<Refusal, "proposer">): void {
    const pending = this.#pending.get(sequence);
    if (pending?.stage.kind !== "handedOn" || pending.stage.term !== term) return;
    if (code === "overloaded") this.#fail(pending, overloaded());
    else if (code === "diskFull") this.#fail(pending, leaderRefusal());
    else this.holdBack([pending]);
  }

  /** These were taken, and can be proposed nowhere now. */
  reject(list: readonly Pending[], reason: () => DkvError): void {
    for (const pending of list) {
      if (this.#isWaitedFor(pending)) this.#fail(pending, reason());
    }
  }

  /** One of our commands was applied: its caller, if there still is one, is answered. */
  applied(sequence: number, result: ApplyResult): void {
    const pending = this.#pending.get(sequence);
    if (pending !== undefined) this.#settle(pending).resolve(result);
  }

  /** An entry of `term` was applied, the first of that term: what was handed to earlier leaders is lost. */
  termApplied(term: Term): void {
    for (const pending of this.#pending.values()) {
      if (pending.stage.kind !== "handedOn" || pending.stage.term >= term) continue;
      pending.stage = waiting;
      this.#waiting.push(pending);
    }
  }

  /**
   * The state was replaced as a whole. Whether what was handed on is part of it cannot be told, so it must
   * not be proposed again.
   */
  restored(): void {
    for (const pending of this.#pending.values()) {
      if (pending.stage.kind !== "handedOn") continue;
      this.#fail(
        pending,
        new DkvError(
          "outcomeUnknown",
          "this member was so far behind that it took over the state of another one; the write may have taken effect",
        ),
      );
    }
  }

  /** Answers those whose time is up. `quorum` says in words how many members answer. */
  expire(nowMs: number, quorum: () => string): void {
    if (nowMs < this.#earliestDeadlineMs) return;
    let earliest = Number.POSITIVE_INFINITY;
    const late: Pending[] = [];
    for (const pending of this.#pending.values()) {
      if (pending.deadlineMs <= nowMs) late.push(pending);
      else if (pending.deadlineMs < earliest) earliest = pending.deadlineMs;
    }
    this.#earliestDeadlineMs = earliest;
    if (late.length === 0) return;
    const words = quorum();
    for (const pending of late) this.#fail(pending, timeout(pending, words));
    // While there is no leader nobody takes them, and they would be kept for nobody.
    this.#waiting = this.#waiting.filter((pending) => this.#isWaitedFor(pending));
    this.#heldBack = this.#heldBack.filter((pending) => this.#isWaitedFor(pending));
  }

  /** Answers everybody: the member stops. */
  stop(): void {
    for (const pending of this.#pending.values()) {
      this.#fail(
        pending,
        pending.stage.kind === "waiting"
          ? new DkvError("stopping", "this member is stopping; nothing was written, use another one")
          : new DkvError(
              "outcomeUnknown",
              "this member stopped while writing; the write may still take effect",
            ),
      );
    }
  }

  #isWaitedFor(pending: Pending): boolean {
    return this.#pending.get(pending.sequence) === pending;
  }

  #fail(pending: Pending, error: DkvError): void {
    this.#failures += 1;
    this.#settle(pending).reject(error);
  }

  #settle(pending: Pending): Pending {
    this.#pending.delete(pending.sequence);
    this.#bytes -= pending.command.length;
    return pending;
  }
}

export function overloaded(): DkvError {
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
