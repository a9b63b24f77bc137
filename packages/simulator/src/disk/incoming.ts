/** Snapshots that come in: one at a time is being received, and complete ones wait to take over. */
import type { EntryId } from "@dkv/raft";
import { assert } from "@dkv/server/platform/assert";
import type { IncomingSnapshot } from "@dkv/server/storage/storage";
import {
  checkPosition,
  checkTrailer,
  decodeChunk,
  encodeHeader,
  type SnapshotHeader,
  snapshotStart,
} from "@dkv/snapshot";
import { checkRecord, readPosition } from "@dkv/store";
import { keyText, type StateRecords, type StoredSnapshot } from "./platter.ts";
import type { SimStorageDeps } from "./sim-storage.ts";

/** As many as the production storage keeps. */
const keptComplete = 2;

interface Complete {
  readonly header: SnapshotHeader;
  readonly stored: StoredSnapshot;
}

export class Incoming {
  readonly #deps: SimStorageDeps;
  #complete: readonly Complete[] = [];
  /** What is received now; a face of an earlier one can write nothing any more. */
  #receiving: StoredSnapshot | undefined;

  constructor(deps: SimStorageDeps) {
    this.#deps = deps;
  }

  receive(header: SnapshotHeader): IncomingSnapshot {
    const encoded = encodeHeader(header);
    const complete = this.#complete.find(({ stored }) => stored.header.equals(encoded));
    const stored = complete?.stored ?? this.#begin(encoded);
    this.#receiving = stored;
    const isComplete = (): boolean => this.#complete.some((each) => each.stored === stored);
    return {
      header,
      get received() {
        return stored.progress.chunks;
      },
      write: (chunk) => this.#store(stored, Buffer.from(chunk)),
      finish: async (trailer) => {
        checkTrailer(trailer, stored.progress);
        checkPosition(header, readPosition({ get: (key) => stored.state.get(keyText(key)) }));
        if (isComplete()) return;
        this.#complete = [...this.#complete, { header, stored }].slice(-keptComplete);
        this.#deps.platter.incoming = undefined;
        await Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
  }

  drop(header: SnapshotHeader): void {
    const encoded = encodeHeader(header);
    this.#complete = this.#complete.filter(({ stored }) => !stored.header.equals(encoded));
  }

  /** The state of the complete one that ends with this entry. Those that do not go further are given up. */
  takeOver({ index, term }: EntryId): StateRecords {
    const found = this.#complete.find(({ header: { last } }) => last.index === index && last.term === term);
    assert(found !== undefined, "only a complete snapshot is installed");
    this.#complete = this.#complete.filter(({ header }) => header.last.index > index);
    return found.stored.state;
  }

  #begin(header: Buffer): StoredSnapshot {
    const { platter, observer } = this.#deps;
    const begun = platter.incoming;
    if (begun?.header.equals(header) === true) {
      if (begun.progress.chunks > 0) observer.resumed();
      return begun;
    }
    const fresh = { header, state: new Map(), progress: snapshotStart(header) };
    platter.incoming = fresh;
    observer.receiving();
    return fresh;
  }

  async #store(stored: StoredSnapshot, chunk: Buffer): Promise<void> {
    assert(this.#receiving === stored, "one snapshot is received at a time");
    const { records, progress } = decodeChunk(chunk, stored.progress);
    for (const [key, value] of records) checkRecord(key, value);
    const commit = (): void => {
      for (const [key, value] of records) stored.state.set(keyText(key), Buffer.from(value));
      stored.progress = progress;
    };
    await this.#deps.hardware.write({ kind: "snapshot", bytes: chunk.length, commit });
  }
}
