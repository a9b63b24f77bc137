/**
 * What a leader does about the time of leases: it reads which there are, ends those whose time is up, and
 * notes what others have left, all through its own log.
 *
 * No two leaders can both end leases. What is proposed here is committed in the term in which the time was
 * measured, or not at all, and carries that term, for the case that it gets into another log by some way.
 * It also carries how far the log was applied here: a lease that was revoked meanwhile, and granted anew
 * under the same id, is another one.
 */
import { create } from "@bufbuild/protobuf";
import { CheckpointLeasesCommandSchema, ExpireLeasesCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { Term } from "@dkv/raft";
import type { LeaseId, LoggedOperation, Store } from "@dkv/store";
import type { Cancel, Clock } from "../../platform/clock.ts";
import type { OwnLog } from "../own-log.ts";
import { type LeaseNote, LeaseTimes, noteAfterMs } from "./lease-times.ts";
import { leasesNamedIn } from "./named-leases.ts";

const lookEveryMs = 100;

/** So that no more than a thousand leases end in a second, whatever has piled up. */
const mostEnding = 100;

/** Notes in one entry. */
const mostNotes = 1000;

export interface LeaseClockDeps {
  readonly store: Pick<Store, "lease" | "leases" | "appliedIndex">;
  readonly clock: Clock;
  readonly ownLog: Pick<OwnLog, "propose">;
  /** Whether the state of this member is known to be wrong: then its leases are none to go by. */
  readonly isCorrupt: () => boolean;
  /** Reading the leases of the store has failed. */
  readonly failed: (error: unknown) => void;
}

export class LeaseClock {
  readonly #deps: LeaseClockDeps;
  #times: LeaseTimes | undefined;
  #cancel: Cancel | undefined;
  #isEnding = false;
  #isNoting = false;
  #nextNotesMs = 0;

  constructor(deps: LeaseClockDeps) {
    this.#deps = deps;
  }

  /** Undefined unless this member leads, as far as it was told. */
  get times(): LeaseTimes | undefined {
    return this.#times;
  }

  /** This member leads. */
  began(term: Term): void {
    const { clock } = this.#deps;
    const times = new LeaseTimes(term);
    this.#times = times;
    this.#isEnding = false;
    this.#isNoting = false;
    this.#nextNotesMs = clock.nowMs() + noteAfterMs;
    this.#cancel = clock.every(lookEveryMs, () => {
      this.look();
    });
    void this.#read(times);
  }

  /** This member leads no more: what it knows of time is worth nothing. */
  ended(): void {
    this.#times = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  applied(operation: LoggedOperation): void {
    const times = this.#times;
    if (times === undefined) return;
    const { store, clock } = this.#deps;
    for (const id of leasesNamedIn(operation)) times.changed(id, store.lease(id), clock.nowMs());
  }

  /** Does now what is to be done about leases. */
  look(): void {
    const times = this.#times;
    if (times?.isKnown !== true || this.#deps.isCorrupt()) return;
    const nowMs = this.#deps.clock.nowMs();
    if (!this.#isEnding) void this.#end(times, times.takeDue(nowMs, mostEnding));
    if (nowMs >= this.#nextNotesMs) {
      times.beginNotes();
      this.#nextNotesMs = nowMs + noteAfterMs;
    }
    if (!this.#isNoting) void this.#note(times, times.takeNotes(nowMs, mostNotes));
  }

  /**
   * Gives leases all of their time again. Resolves when no note says otherwise any more, so that a later
   * leader gives them no less; with false if that could not be had.
   */
  async renew(times: LeaseTimes, ids: readonly LeaseId[]): Promise<boolean> {
    const noted = times.renew(ids, this.#deps.clock.nowMs());
    if (noted.length === 0) return true;
    return this.#checkpoint(
      times,
      noted.map((id) => ({ id, remainingTtl: 0n })),
    );
  }

  async #read(times: LeaseTimes): Promise<void> {
    const { store, clock, failed } = this.#deps;
    try {
      for await (const rows of store.leases()) {
        if (this.#times !== times) return;
        times.read(rows, clock.nowMs());
      }
      times.complete();
    } catch (error) {
      // What somebody reads who does not lead any more may be replaced, or closed, meanwhile.
      if (this.#times === times) failed(error);
    }
  }

  async #end(times: LeaseTimes, ids: readonly LeaseId[]): Promise<void> {
    if (ids.length === 0) return;
    this.#isEnding = true;
    const value = create(ExpireLeasesCommandSchema, {
      ids: [...ids],
      term: BigInt(times.term),
      applied: this.#applied,
    });
    const isEnded = await this.#deps.ownLog.propose(times.term, { case: "expireLeases", value });
    if (this.#times !== times) return;
    this.#isEnding = false;
    if (!isEnded) times.notEnded(ids);
  }

  async #note(times: LeaseTimes, notes: readonly LeaseNote[]): Promise<void> {
    if (notes.length === 0) return;
    this.#isNoting = true;
    await this.#checkpoint(times, notes);
    if (this.#times !== times) return;
    this.#isNoting = false;
    times.noted(notes);
  }

  /** What is known of leases comes from entries up to this one. */
  get #applied(): bigint {
    return BigInt(this.#deps.store.appliedIndex);
  }

  #checkpoint(times: LeaseTimes, checkpoints: readonly LeaseNote[]): Promise<boolean> {
    const value = create(CheckpointLeasesCommandSchema, {
      checkpoints: [...checkpoints],
      applied: this.#applied,
    });
    return this.#deps.ownLog.propose(times.term, { case: "checkpointLeases", value });
  }
}
