/**
 * Snapshots that come in, each in a generation of its own above the current one.
 *
 *   receiving ──finish──▶ complete ──takeOver──▶ the current generation
 *       │                    │ dropped; an install of a later one; two more
 *       │                    └──▶ deleted
 *       └── gives way to another that comes in
 *
 * One is received at a time. A complete one is kept for the install that will ask for it, whatever comes in
 * meanwhile.
 */
import type { EntryId } from "@dkv/raft";
import { encodeHeader, type SnapshotHeader, type SnapshotTrailer } from "@dkv/snapshot";
import { assert } from "../platform/assert.ts";
import {
  databaseDirectory,
  deleteGeneration,
  generationDirectory,
  makeDirectory,
} from "./generation/layout.ts";
import { ReceivedSnapshot } from "./snapshot/received-snapshot.ts";
import type { Database } from "./state/leveldb.ts";
import type { IncomingSnapshot } from "./storage.ts";

/** One that is about to be installed, and one that came in before it was. */
const keptComplete = 2;

/** A complete snapshot, no longer the receiver's. */
export interface TakenOver {
  /** Of the generation that it is in. */
  readonly number: number;
  readonly database: Database;
}

interface Reception {
  readonly number: number;
  readonly snapshot: ReceivedSnapshot;
}

export class Incoming {
  readonly #dataDir: string;
  #receiving: Reception | undefined;
  #complete: readonly Reception[] = [];
  /** Of several that ask at once, each waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Above the current generation. A complete one with the same header is there as it is. */
  receive(current: number, header: SnapshotHeader): Promise<IncomingSnapshot> {
    return this.#inTurn(async () => {
      const complete = this.#complete.find(({ snapshot }) => isSame(snapshot.header, header));
      return this.#faceOf(complete ?? (await this.#begin(current, header)));
    });
  }

  /** Requires that a snapshot which ends with this entry is complete. Gives up those that do not go further. */
  takeOver(last: EntryId): Promise<TakenOver> {
    return this.#inTurn(async () => {
      const found = this.#complete.find(({ snapshot }) => isUpTo(snapshot.header, last));
      assert(found !== undefined, "only a complete snapshot is installed");
      const taken = { number: found.number, database: found.snapshot.takeOver() };
      const isLater = ({ snapshot }: Reception): boolean => snapshot.header.last.index > last.index;
      const others = this.#complete.filter((each) => each !== found && !isLater(each));
      this.#complete = this.#complete.filter(isLater);
      await this.#delete(others);
      return taken;
    });
  }

  /** Deletes a complete one. */
  drop(header: SnapshotHeader): Promise<void> {
    return this.#inTurn(async () => {
      const dropped = this.#complete.filter(({ snapshot }) => isSame(snapshot.header, header));
      this.#complete = this.#complete.filter((each) => !dropped.includes(each));
      await this.#delete(dropped);
    });
  }

  /** Does not wait until all of a snapshot has been checked. */
  async close(): Promise<void> {
    await this.#receiving?.snapshot.close();
    await this.#inTurn(async () => {
      await this.#receiving?.snapshot.close();
      for (const { snapshot } of this.#complete) await snapshot.close();
    });
  }

  async #begin(current: number, header: SnapshotHeader): Promise<Reception> {
    const before = this.#receiving;
    this.#receiving = undefined;
    await before?.snapshot.close();
    // In the place of the one before, which is above all others as well.
    const number =
      before?.number ?? Math.max(current, ...this.#complete.map((complete) => complete.number)) + 1;
    makeDirectory(generationDirectory(this.#dataDir, number));
    const snapshot = await ReceivedSnapshot.open(databaseDirectory(this.#dataDir, number), header);
    this.#receiving = { number, snapshot };
    return this.#receiving;
  }

  #faceOf(reception: Reception): IncomingSnapshot {
    const { snapshot } = reception;
    const isComplete = (): boolean => this.#complete.includes(reception);
    return {
      header: snapshot.header,
      get received() {
        return snapshot.received;
      },
      write: (chunk: Uint8Array) => snapshot.write(chunk),
      finish: (trailer: SnapshotTrailer) =>
        this.#inTurn(async () => {
          if (!isComplete()) await this.#finish(reception, trailer);
        }),
      close: async () => {
        if (!isComplete()) await snapshot.close();
      },
    };
  }

  async #finish(reception: Reception, trailer: SnapshotTrailer): Promise<void> {
    await reception.snapshot.finish(trailer);
    this.#receiving = undefined;
    const all = [...this.#complete, reception];
    this.#complete = all.slice(-keptComplete);
    await this.#delete(all.slice(0, -keptComplete));
  }

  async #delete(receptions: readonly Reception[]): Promise<void> {
    for (const { number, snapshot } of receptions) {
      await snapshot.close();
      await deleteGeneration(this.#dataDir, number);
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

const isSame = (a: SnapshotHeader, b: SnapshotHeader): boolean => encodeHeader(a).equals(encodeHeader(b));

const isUpTo = ({ last: { index, term } }: SnapshotHeader, last: EntryId): boolean =>
  index === last.index && term === last.term;
