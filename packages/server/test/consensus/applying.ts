/** What the tests of the applier begin with. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DeleteCommandSchema, SetCommandSchema, TxnCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { type Entry, logIndex, term } from "@dkv/raft";
import {
  type Applied,
  type ApplyResult,
  encodeCommand,
  type KeyRange,
  type LoggedOperation,
  type StateScanner,
  Store,
  type StoredRecord,
} from "@dkv/store";
import { Applier } from "../../src/consensus/applier.ts";
import { Guard } from "../../src/consensus/guard.ts";
import { Proposals } from "../../src/consensus/proposals.ts";
import { Reads } from "../../src/consensus/reads.ts";
import { Disk } from "../../../store/test/disk.ts";

/** Who proposes: this process, and any other one. */
export const [us, others] = [5n, 6n];
export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const set = (key: string, value: string): LoggedOperation => ({
  case: "set",
  value: create(SetCommandSchema, { key: bytes(key), value: bytes(value) }),
});

/** Deletes all keys: which these are can only be learnt by asking the disk for a range. */
export const clear: LoggedOperation = {
  case: "delete",
  value: create(DeleteCommandSchema, { key: bytes("a"), rangeEnd: bytes("z") }),
};

/** Reads all keys. */
export const list: LoggedOperation = {
  case: "txn",
  value: create(TxnCommandSchema, {
    success: [{ operation: { case: "range", value: { key: bytes("a"), rangeEnd: bytes("z") } } }],
  }),
};

interface Named {
  readonly proposer?: bigint;
  readonly sequence?: number;
  readonly term?: number;
}

const unnamed: Named = {};

/** Entries from an index on, of term 1 and by others unless said otherwise. */
export const entriesFrom = (
  first: number,
  ...operations: readonly (LoggedOperation | readonly [LoggedOperation, Named])[]
): readonly Entry[] =>
  operations.map((each, position) => {
    const [operation, { proposer = others, sequence = 1, term: ofTerm = 1 }] =
      "case" in each ? [each, unnamed] : each;
    return {
      index: logIndex(first + position),
      term: term(ofTerm),
      kind: "command",
      data: encodeCommand({ proposer, sequence }, operation),
    };
  });

/** A scan that the store has asked for, and that ends when the test says so. */
interface Asked {
  letGo(): Promise<void>;
  fail(error: Error): Promise<void>;
}

class SlowDisk implements StateScanner {
  readonly disk = new Disk();
  readonly asked: Asked[] = [];

  get(key: Uint8Array): Uint8Array | undefined {
    return this.disk.get(key);
  }

  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.disk.getMany(keys);
  }

  async *scan(range: KeyRange): AsyncGenerator<readonly StoredRecord[]> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.asked.push({
      letGo: () => {
        resolve();
        return turn();
      },
      fail: (error) => {
        reject(error);
        return turn();
      },
    });
    await promise;
    yield* this.disk.scan(range);
  }

  /** The scan that was asked for last. */
  get latest(): Asked {
    return this.asked.at(-1) ?? assert.fail("no scan was asked for");
  }
}

/** An applier over the real store, on a disk that answers when the test says so. */
export function applying(test: TestContext) {
  const disk = new SlowDisk();
  const store = new Store(disk, { cacheBytes: 0 });
  const proposals = new Proposals({ count: 100, bytes: 10_000 });
  const reads = new Reads({ count: 100, roundTimeoutMs: 1000 });
  const failures: unknown[] = [];
  const applied: Applied[] = [];
  let resumed = 0;
  let configurations = 0;
  // Prepared by the store, and not let go of.
  let held = 0;
  const prepare = store.prepare.bind(store);
  test.mock.method(store, "prepare", (...parameters: Parameters<typeof prepare>) =>
    prepare(...parameters)?.then((prepared) => {
      held += 1;
      const release = prepared.release.bind(prepared);
      let isHeld = true;
      test.mock.method(prepared, "release", () => {
        if (isHeld) held -= 1;
        isHeld = false;
        release();
      });
      return prepared;
    }),
  );
  const applier = new Applier({
    store,
    proposals,
    reads,
    guard: new Guard((error) => failures.push(error)),
    proposer: us,
    onApplied: (each) => applied.push(each),
    onConfigurationApplied: () => (configurations += 1),
    onResumed: () => (resumed += 1),
  });
  return {
    applier,
    store,
    disk,
    proposals,
    reads,
    failures,
    applied,
    resumed: () => resumed,
    held: () => held,
    configurations: () => configurations,
    current: (key: string): string | undefined => {
      const found = store.get(bytes(key));
      return found && Buffer.from(found.value).toString();
    },
  };
}

/** A write of ours that somebody waits for; `proposals` gives it sequence 1, 2, … */
export function propose(proposals: Proposals): Promise<ApplyResult> {
  const answer = proposals.add(proposals.nextSequence(), bytes("command"), { nowMs: 0, timeoutMs: 1000 });
  proposals.handedOn(proposals.takeWaiting(10_000), term(1));
  return answer;
}
