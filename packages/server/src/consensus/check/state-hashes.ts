/**
 * What this member's state was at the last few checks in the log.
 *
 *   expect ─▶ pending: its layer is being saved, or its records are being hashed ─▶ known ─▶ forgotten
 */
import type { LogIndex } from "@dkv/raft";
import { assert } from "../../platform/assert.ts";
import type { Clock } from "../../platform/clock.ts";
import type { StateSnapshot } from "../../storage/storage.ts";
import type { Guard } from "../guard.ts";
import { hashState } from "./state-hash.ts";

/** Checks under way, and hashes kept of those that are done. */
const maxPending = 8;
const maxKnown = 8;

/** The state right behind a check. */
export interface StateHash {
  /** Of the check. */
  readonly index: LogIndex;
  /** Of the store. */
  readonly revision: number;
  /** See {@link hashState}. */
  readonly hash: Uint8Array;
}

export interface StateHashesDeps {
  readonly clock: Clock;
  readonly guard: Guard;
  /** Somebody may wait for what has changed. */
  readonly schedule: () => void;
}

export class StateHashes {
  readonly #deps: StateHashesDeps;
  readonly #pending = new Set<LogIndex>();
  readonly #known: StateHash[] = [];
  /** They are hashed one after the other. */
  #hashing: Promise<void> = Promise.resolve();
  #wanted = new AbortController();

  constructor(deps: StateHashesDeps) {
    this.#deps = deps;
  }

  /** A check was applied. Returns false if too many are under way: this one's hash will not be known. */
  expect(index: LogIndex): boolean {
    if (this.#pending.size >= maxPending) return false;
    this.#pending.add(index);
    return true;
  }

  /** The state right behind an expected check, which is closed here. */
  begin(snapshot: StateSnapshot): void {
    assert(this.#pending.has(snapshot.header.last.index), "only the state behind a check is hashed");
    const { signal } = this.#wanted;
    this.#hashing = this.#hashing.then(() => this.#hash(snapshot, signal));
  }

  /** Whether it will be known, unless the member stops or its state is replaced. */
  isPending(index: LogIndex): boolean {
    return this.#pending.has(index);
  }

  at(index: LogIndex): StateHash | undefined {
    return this.#known.find((known) => known.index === index);
  }

  /** Gives up what is pending. Resolves when nothing of the state is read any more. */
  async abandon(): Promise<void> {
    this.#wanted.abort();
    this.#wanted = new AbortController();
    this.#pending.clear();
    await this.#hashing;
  }

  async #hash(snapshot: StateSnapshot, signal: AbortSignal): Promise<void> {
    const { clock, guard, schedule } = this.#deps;
    const { last, revision } = snapshot.header;
    try {
      const hash = await hashState(snapshot, { clock, signal });
      if (hash === undefined || signal.aborted) return;
      this.#pending.delete(last.index);
      this.#known.push({ index: last.index, revision, hash });
      if (this.#known.length > maxKnown) this.#known.shift();
      schedule();
    } catch (error) {
      // The state could not be read: what the disk holds is not what was written.
      if (!signal.aborted) guard.fail(error);
    } finally {
      await snapshot.close();
    }
  }
}
