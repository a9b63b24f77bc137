/**
 * The disk as hardware: how long it takes, and what it does when the power goes or when it fails. A write is
 * on the platter when its time has come; a crash before leaves all of it, a part, or nothing.
 */
import type { Life } from "../world/life.ts";
import type { Prng } from "../world/random.ts";

export type WriteKind = "log" | "state" | "snapshot";

/** What a write leaves, if the process dies before it is told that it is done. */
export interface PendingWrite {
  readonly kind: WriteKind;
  readonly bytes: number;
  /** Whether it makes a term or a vote durable. */
  readonly isVote?: boolean;
  /** Puts all of it on the platter. */
  readonly commit: () => void;
  /** Puts a part of it there; absent where a write is all or nothing. */
  readonly tear?: (share: number) => void;
}

export class DiskFailure extends Error {
  readonly code: "EIO" | "ENOSPC";

  constructor(code: "EIO" | "ENOSPC") {
    super(code === "EIO" ? "EIO: i/o error, fdatasync" : "ENOSPC: no space left on device, write");
    this.code = code;
  }
}

export interface DiskTiming {
  readonly minUs: number;
  readonly maxUs: number;
}

const crashProbes = {
  log: "crash during a log write",
  state: "crash during a save of the state",
} as const;

export class Hardware {
  readonly #random: Prng;
  readonly #timing: DiskTiming;
  readonly #reads: Prng;
  readonly #pending = new Set<PendingWrite>();
  #ambush: ((pending: PendingWrite) => boolean) | undefined;
  #life: Life | undefined;
  #slowness = 1;
  #hungUntilUs = 0;
  #heldUntilUs = 0;
  #failing: DiskFailure["code"] | undefined;

  /** @param reads draws how long those take; apart, so that writes take what they took without them */
  constructor(timing: DiskTiming, random: Prng, reads: Prng) {
    this.#timing = timing;
    this.#random = random;
    this.#reads = reads;
  }

  slow(factor: number): void {
    this.#slowness = factor;
  }

  /** Nothing is done, and nothing is said, until then. */
  hang(untilUs: number): void {
    this.#hungUntilUs = untilUs;
    this.#heldUntilUs = Math.max(this.#heldUntilUs, untilUs);
  }

  /** Until when what was begun so far may take, because the disk hangs, or did. */
  get heldUntilUs(): number {
    return this.#heldUntilUs;
  }

  /** Every write fails from now on; undefined: none does. */
  fail(code: DiskFailure["code"] | undefined): void {
    this.#failing = code;
  }

  /** Asked about every write as it begins, until it says yes. */
  ambush(ambush: ((pending: PendingWrite) => boolean) | undefined): void {
    this.#ambush = ambush;
  }

  attach(life: Life): void {
    this.#life = life;
  }

  /** Resolves when it is on the platter. */
  write(pending: PendingWrite): Promise<void> {
    const life = this.#life;
    if (life === undefined) throw new Error("nobody uses this disk");
    this.#pending.add(pending);
    if (this.#ambush?.(pending) === true) this.#ambush = undefined;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const finish = (): void => {
      if (this.#hungUntilUs > life.world.nowUs) {
        life.world.probes.reached("disk hung");
        life.after(this.#hungUntilUs - life.world.nowUs, "disk", finish);
        return;
      }
      this.#pending.delete(pending);
      if (this.#failing === undefined) {
        pending.commit();
        resolve();
        return;
      }
      // Nobody knows what a failed write has left.
      life.world.probes.reached(this.#failing === "EIO" ? "sync failed" : "disk full");
      if (this.#failing === "EIO") this.#leave(pending);
      reject(new DiskFailure(this.#failing));
    };
    life.after(this.#durationUs(pending.bytes), "disk", finish);
    return promise;
  }

  /** Resolves when the disk has found what is looked for; never, if the process has ended by then. */
  read(): Promise<void> {
    const life = this.#life;
    if (life === undefined) throw new Error("nobody uses this disk");
    const { promise, resolve } = Promise.withResolvers<void>();
    const finish = (): void => {
      if (this.#hungUntilUs > life.world.nowUs)
        life.after(this.#hungUntilUs - life.world.nowUs, "disk", finish);
      else resolve();
    };
    const { minUs, maxUs } = this.#timing;
    life.after(this.#reads.between(minUs, maxUs) * this.#slowness, "disk", finish);
    return promise;
  }

  /** The process, or the whole machine, is gone. */
  crash(): void {
    for (const pending of this.#pending) {
      if (pending.kind !== "snapshot") this.#life?.world.probes.reached(crashProbes[pending.kind]);
      if (this.#leave(pending) === "all")
        this.#life?.world.probes.reached("crash after the write, before the word");
    }
    this.#pending.clear();
    this.#life = undefined;
  }

  /** Returns how much of it is on the platter now. */
  #leave(pending: PendingWrite): "nothing" | "a part" | "all" {
    const fate = this.#random.below(3);
    if (fate === 0) return "nothing";
    if (fate === 1 && pending.tear !== undefined) {
      pending.tear(this.#random.below(1000) / 1000);
      return "a part";
    }
    pending.commit();
    return "all";
  }

  #durationUs(bytes: number): number {
    const { minUs, maxUs } = this.#timing;
    return (this.#random.between(minUs, maxUs) + bytes / 200) * this.#slowness;
  }
}
