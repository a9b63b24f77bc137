/**
 * How much time leases have, as the leader of one term measures it. They begin anew with each leader: then
 * all of them get the time that they were granted, or what a checkpoint says was left.
 *
 *   unread ── every lease was read, or has changed meanwhile ──▶ known: leases run out
 *
 *   a lease:  runs ─▶ due ─▶ ending: to be ended by an entry of the log ─┬─▶ gone
 *             ▲  └ kept alive ┘                                          └─▶ runs, if the log did not take it
 */
import type { Term } from "@dkv/raft";
import type { Lease, LeaseId } from "@dkv/store";
import { Deadlines, type Timed } from "./deadlines.ts";
import { type LeaseTime, maxTtlSeconds } from "./lease-keeper.ts";

interface TimedLease extends Timed {
  readonly id: LeaseId;
  readonly grantedTtl: bigint;
  deadlineMs: number;
  /** Seconds that the store says were left; 0 if it says nothing. */
  notedTtl: bigint;
  /** A note of what is left is about to be written. */
  isBeingNoted: boolean;
  isEnding: boolean;
}

export interface LeaseNote {
  readonly id: LeaseId;
  readonly remainingTtl: bigint;
}

/** What has run down by so much since it was granted or noted is noted. */
export const noteAfterMs = 300_000;

/** Leases looked at in one step. */
const stepLeases = 5000;

export class LeaseTimes {
  readonly term: Term;
  readonly #leases = new Map<LeaseId, TimedLease>();
  readonly #deadlines = new Deadlines<TimedLease>();
  /** Changed since the reading began, so that what is read of them may be old; undefined once all is read. */
  #changedMeanwhile: Set<LeaseId> | undefined = new Set();
  /** Where looking for what is to be noted has come to; undefined while nobody looks. */
  #walk: MapIterator<TimedLease> | undefined;

  constructor(term: Term) {
    this.term = term;
  }

  /** Whether all leases are here. */
  get isKnown(): boolean {
    return this.#changedMeanwhile === undefined;
  }

  /** These were there when the reading began. */
  read(rows: readonly (readonly [LeaseId, Lease])[], nowMs: number): void {
    for (const [id, lease] of rows)
      if (this.#changedMeanwhile?.has(id) === false) this.#add(id, lease, nowMs);
  }

  /** All were read. */
  complete(): void {
    this.#changedMeanwhile = undefined;
  }

  /**
   * An entry that names this lease was applied.
   *
   * @param lease as the store has it now; undefined if it has none
   */
  changed(id: LeaseId, lease: Lease | undefined, nowMs: number): void {
    this.#changedMeanwhile?.add(id);
    const known = this.#leases.get(id);
    if (lease === undefined) {
      if (known !== undefined) this.#deadlines.remove(known);
      this.#leases.delete(id);
    } else if (known === undefined) this.#add(id, lease, nowMs);
    else known.notedTtl = lease.remainingTtl;
  }

  /**
   * Gives leases all of their time again, but those that are gone or ending.
   *
   * @returns those of which a note says, or is about to say, that they have less: it has to go before
   * anybody is
   *   told
   */
  renew(ids: readonly LeaseId[], nowMs: number): readonly LeaseId[] {
    return ids.filter((id) => {
      const lease = this.#leases.get(id);
      if (lease === undefined || lease.isEnding) return false;
      lease.deadlineMs = Math.max(lease.deadlineMs, nowMs + milliseconds(lease.grantedTtl));
      return lease.notedTtl !== 0n || lease.isBeingNoted;
    });
  }

  /** Undefined if it is gone or about to go. */
  timeOf(id: LeaseId, nowMs: number): LeaseTime | undefined {
    const lease = this.#leases.get(id);
    // One that is ending has no time left.
    if (lease === undefined || lease.deadlineMs <= nowMs) return undefined;
    return { grantedTtl: lease.grantedTtl, remainingTtl: remaining(lease, nowMs) };
  }

  /** Of those whose time is up so many, in ascending order. They are ending from now on. */
  takeDue(nowMs: number, most: number): readonly LeaseId[] {
    if (!this.isKnown) return [];
    const due = this.#deadlines.takeDue(nowMs, most);
    for (const lease of due) lease.isEnding = true;
    return due.map(({ id }) => id).sort((a, b) => (a < b ? -1 : 1));
  }

  /** What would have ended these was not taken by the log. */
  notEnded(ids: readonly LeaseId[]): void {
    for (const id of ids) {
      const lease = this.#leases.get(id);
      if (lease?.isEnding !== true) continue;
      lease.isEnding = false;
      this.#deadlines.add(lease);
    }
  }

  /** Begins to look for leases whose remaining time is to be noted. */
  beginNotes(): void {
    this.#walk = this.#leases.values();
  }

  /** The next ones of them, at most so many. Follow it with {@link noted}. */
  takeNotes(nowMs: number, most: number): readonly LeaseNote[] {
    const notes: LeaseNote[] = [];
    for (let step = 0; step < stepLeases && notes.length < most && this.#walk !== undefined; step += 1) {
      const { done, value: lease } = this.#walk.next();
      if (done === true) this.#walk = undefined;
      else if (hasRunDown(lease, nowMs)) {
        lease.isBeingNoted = true;
        notes.push({ id: lease.id, remainingTtl: remaining(lease, nowMs) });
      }
    }
    return notes;
  }

  /** These notes were written, or will not be. */
  noted(notes: readonly LeaseNote[]): void {
    for (const { id } of notes) {
      const lease = this.#leases.get(id);
      if (lease !== undefined) lease.isBeingNoted = false;
    }
  }

  #add(id: LeaseId, { grantedTtl, remainingTtl }: Lease, nowMs: number): void {
    const lease: TimedLease = {
      id,
      grantedTtl,
      deadlineMs: nowMs + milliseconds(remainingTtl > 0n ? remainingTtl : grantedTtl),
      notedTtl: remainingTtl,
      isBeingNoted: false,
      isEnding: false,
      queuedMs: 0,
      place: -1,
    };
    this.#leases.set(id, lease);
    this.#deadlines.add(lease);
  }
}

function hasRunDown(lease: TimedLease, nowMs: number): boolean {
  if (lease.isEnding || lease.isBeingNoted) return false;
  const leftMs = lease.deadlineMs - nowMs;
  const notedMs = milliseconds(lease.notedTtl > 0n ? lease.notedTtl : lease.grantedTtl);
  return leftMs > 0 && notedMs - leftMs >= noteAfterMs;
}

const remaining = ({ deadlineMs }: TimedLease, nowMs: number): bigint =>
  BigInt(Math.max(0, Math.ceil((deadlineMs - nowMs) / 1000)));

function milliseconds(ttl: bigint): number {
  return 1000 * Number(ttl > maxTtlSeconds ? maxTtlSeconds : ttl);
}
