/** The watches of one stream: by the ids that its client knows, and by the numbers that its member does. */
import type { WatchCreateRequest } from "@dkv/protocol/etcdserverpb/rpc";
import type { Progressing } from "./watch-progress.ts";

export interface Entry extends Progressing {
  readonly id: bigint;
  readonly wantsProgress: boolean;
  readonly inFragments: boolean;
}

/** The id with which a client asks to have one chosen. */
const anyId = 0n;

/** Whose history was given up and which their client has not cancelled: it may never do so. */
const mostLost = 1000;

export class WatchEntries {
  /** One whose history was given up keeps its id until its client cancels it, or many more were given up. */
  readonly #byId = new Map<bigint, Entry>();
  /** Those, in the order in which it happened. */
  readonly #lost = new Set<bigint>();
  /** Those that go on. */
  readonly #byNumber = new Map<number, Entry>();
  #nextId = 0n;
  #nextNumber = 1;

  /** Of those that go on. */
  get size(): number {
    return this.#byNumber.size;
  }

  /** That of the next one to be added; numbers are never used again. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** Whether the id that a client has chosen is another one's. */
  isTaken(id: bigint): boolean {
    return id !== anyId && this.#byId.has(id);
  }

  /** @param request with an id that is not taken */
  add({ watchId, progressNotify, fragment }: WatchCreateRequest): Entry {
    const id = watchId === anyId ? this.#chosenId() : watchId;
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const entry = { id, number, wantsProgress: progressNotify, inFragments: fragment, wasTold: false };
    this.#byId.set(id, entry);
    this.#byNumber.set(number, entry);
    return entry;
  }

  /** One that goes on; undefined if it does not any more. */
  numbered(number: number): Entry | undefined {
    return this.#byNumber.get(number);
  }

  /** Those that go on and want to be told of their progress. */
  progressing(): readonly Entry[] {
    return [...this.#byNumber.values()].filter(({ wantsProgress }) => wantsProgress);
  }

  /**
   * Its client wants it no more, or may not have it any more: its id is free. Returns the number of the watch
   * if that goes on, and undefined if there is no such id.
   */
  cancel(id: bigint): { readonly number: number | undefined } | undefined {
    const entry = this.#byId.get(id);
    if (entry === undefined) return undefined;
    this.#forget(id);
    return { number: this.#byNumber.delete(entry.number) ? entry.number : undefined };
  }

  /** Its history was given up. */
  lose({ id, number }: Entry): void {
    this.#byNumber.delete(number);
    this.#lost.add(id);
    const [oldest = id] = this.#lost;
    if (this.#lost.size > mostLost) this.#forget(oldest);
  }

  #chosenId(): bigint {
    while (this.#byId.has(this.#nextId)) this.#nextId += 1n;
    const id = this.#nextId;
    this.#nextId += 1n;
    return id;
  }

  #forget(id: bigint): void {
    this.#byId.delete(id);
    this.#lost.delete(id);
  }
}
