/** A member in small: a store on a disk in memory, and its watches. */
import assert from "node:assert/strict";
import {
  behindPrefix,
  type Change,
  type LoggedOperation,
  onlyKey,
  type RecordChange,
  Store,
} from "@dkv/store";
import { type WatchLimits, WatchHub } from "../../../src/consensus/watch/hub.ts";
import type { WatchMessage, WatchSpec, WatchStream } from "../../../src/consensus/watch/watch.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import type { DkvError } from "../../../src/platform/errors.ts";
import { Disk } from "../../../../store/test/disk.ts";
import { removeHistory } from "./commands.ts";

export const roomy: WatchLimits = {
  streams: 100,
  watches: 1000,
  streamBytes: 1 << 20,
  queuedBytes: 1 << 24,
  historyBytes: 1 << 20,
};

/** One change fills a queue, and a stretch of history. */
export const narrow: WatchLimits = { ...roomy, streamBytes: 1, historyBytes: 1 };

export class World {
  readonly disk: Disk;
  readonly store: Store;
  readonly hub: WatchHub;
  readonly failures: unknown[] = [];
  /** Every change since the beginning, in order. */
  readonly changes: Change[] = [];
  refusal: DkvError | undefined;
  #onTheWay: (readonly RecordChange[])[] = [];

  /** @param turns how often others have their turn before the disk gives something */
  constructor(limits: WatchLimits = roomy, turns = 0) {
    this.disk = new Disk({ batchRecords: 3, turns });
    this.store = new Store(this.disk, { cacheBytes: 0, pieceChanges: 4 });
    this.hub = new WatchHub(limits, {
      store: this.store,
      clock: systemClock,
      electionTimeoutMs: 1000,
      refusal: () => this.refusal,
      fatal: (error) => this.failures.push(error),
    });
  }

  get revision(): number {
    return this.store.revision;
  }

  /** Applies them one after the other. */
  async apply(...operations: readonly LoggedOperation[]): Promise<void> {
    for (const operation of operations) {
      const command = { id: { proposer: 1n, sequence: 1 }, operation };
      const prepared = await this.store.prepare(command, false);
      const place = { index: this.store.appliedIndex + 1, term: 1 };
      const applied = this.store.apply(place, command, { prepared, isWanted: false });
      this.changes.push(...applied.changes);
      this.hub.applied(applied);
    }
  }

  /** Removes all history that was given up. */
  async removeAll(): Promise<void> {
    while (!this.store.compaction.isRemoved) await this.apply(removeHistory);
  }

  /** Begins to make durable what was applied. */
  take(): void {
    if (this.store.hasChanges()) this.#onTheWay.push(this.store.takeChanges());
  }

  /** What was begun first is durable. */
  written(): void {
    const changes = this.#onTheWay.shift();
    if (changes === undefined) return;
    this.disk.write(changes);
    this.store.persisted();
  }

  save(): void {
    this.take();
    while (this.#onTheWay.length > 0) this.written();
  }

  /** Takes over the state of another one, which has saved it. */
  restoreFrom(other: World): void {
    this.#onTheWay = [];
    this.disk.replaceWith(other.disk);
    this.store.restored();
    this.changes.splice(0, Number.POSITIVE_INFINITY, ...other.changes);
    this.hub.restored();
  }

  open(): WatchStream {
    return this.hub.open();
  }
}

/** Reading the history waits until the function is called that this returns. */
export function hold(world: World): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  world.disk.gate = promise;
  return () => {
    world.disk.gate = undefined;
    resolve();
  };
}

/** All changes of the keys with a prefix, from a revision on. */
export const prefix = (start: string, startRevision = 0): WatchSpec => ({
  interval: { from: start, before: behindPrefix(start) },
  startRevision,
  wantPrevious: false,
  wantSets: true,
  wantDeletes: true,
});

export const key = (name: string, startRevision = 0): WatchSpec => ({
  ...prefix(name, startRevision),
  interval: onlyKey(name),
});

/** Reads all that there is to say by now, as texts; the last one is of the progress. */
export async function heard(stream: WatchStream): Promise<readonly string[]> {
  stream.requestProgress();
  const texts: string[] = [];
  for (;;) {
    const messages = await stream.next();
    assert.ok(messages !== undefined, "the stream is open");
    texts.push(...messages.map(textOf));
    if (messages.at(-1)?.kind === "progress") return texts;
  }
}

/** Whether there is nothing to say, however long one waits: everything else has had its turn, many times. */
export async function isSilent(next: Promise<unknown>): Promise<boolean> {
  const silent = Symbol("silent");
  return (await Promise.race([next, idle().then(() => silent)])) === silent;
}

/** Until nothing that is ready is left to do. */
export async function idle(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function textOf(message: WatchMessage): string {
  switch (message.kind) {
    case "events":
      return `${String(message.id)}: ${message.events.map(({ change }) => changeText(change)).join(", ")}`;
    case "progress":
      return `progress ${String(message.revision)}`;
    case "compacted":
      return `${String(message.id)}: compacted ${String(message.compactRevision)}`;
    case "forbidden":
      return `${String(message.id)}: ${message.error.code}`;
  }
}

/** `2 a=1` was set, `3 -a` was deleted. */
export const changeText = ({ key: name, made }: Change): string =>
  made.isDeleted
    ? `${String(made.modRevision)} -${name}`
    : `${String(made.modRevision)} ${name}=${made.value}`;

/** In some order that is always the same: which watch of a stream is told first is nobody's business. */
export const inOrder = (texts: readonly string[]): readonly string[] =>
  texts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
