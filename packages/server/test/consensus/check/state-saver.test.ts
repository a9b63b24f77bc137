import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it, type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { AlarmCommandSchema, CheckCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { logIndex } from "@dkv/raft";
import { type Applied, decodeCommand, encodeCommand, type RecordChange, Store } from "@dkv/store";
import { StateHashes } from "../../../src/consensus/check/state-hashes.ts";
import { Guard } from "../../../src/consensus/guard.ts";
import type { CompactionLimits } from "../../../src/consensus/compaction.ts";
import { StateSaver } from "../../../src/consensus/state-saver.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import type { StateSnapshot, Storage } from "../../../src/storage/storage.ts";
import { batch, entry, hardState, open, setCommand, temporaryDirectory } from "../../storage/fixtures.ts";
import { Disk } from "../../../../store/test/disk.ts";
import { until } from "../cluster.ts";

const id = { proposer: 1n, sequence: 1 };
const check = encodeCommand(id, { case: "check", value: create(CheckCommandSchema) });
const alarm = encodeCommand(id, {
  case: "alarm",
  value: create(AlarmCommandSchema, { clusterId: 1n, memberId: 2n, kind: 1 }),
});

/** By the words of state-hash.ts, of the records of a member that saves whenever the test says so. */
function hashOf({ records }: Disk): string {
  const hash = createHash("sha256");
  for (const name of [...records.keys()].sort((a, b) => (a < b ? -1 : 1))) {
    const key = Buffer.from(name, "hex");
    const value = records.get(name) ?? assert.fail();
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32BE(key.length, 0);
    lengths.writeUInt32BE(value.length, 4);
    hash.update(lengths).update(key).update(value);
  }
  return hash.digest("hex");
}

/** Applies the entry of term 1 with that index. */
const applyTo = (store: Store, index: number, command: Uint8Array): Applied =>
  store.apply({ index, term: 1 }, decodeCommand(command), { isWanted: false });

interface Saving {
  readonly storage: Storage;
  readonly store: Store;
  readonly saver: StateSaver;
  readonly hashes: StateHashes;
  readonly failures: readonly unknown[];
  /** Snapshots of the state that are not closed. */
  readonly openSnapshots: () => number;
}

/** What a test wants to be otherwise. */
interface Otherwise extends Partial<Pick<Storage, "save" | "compact">> {
  readonly compaction?: CompactionLimits;
}

/** A store on a real disk whose log has these commands, none of them applied. */
async function saving(
  test: TestContext,
  commands: readonly Uint8Array[],
  otherwise: Otherwise = {},
): Promise<Saving> {
  const { storage } = await open(await temporaryDirectory(test));
  test.after(() => storage.close());
  const entries = commands.map((command, position) => entry(position + 1, 1, command));
  await storage.append(batch({ hardState: hardState(1, commands.length), entries }));
  const store = new Store(storage.state, { cacheBytes: 1 << 20 });
  const failures: unknown[] = [];
  const guard = new Guard((error) => failures.push(error));
  const clock = systemClock;
  const hashes = new StateHashes({ clock, guard, schedule: () => undefined });
  let openSnapshots = 0;
  const counting = (snapshot: StateSnapshot): StateSnapshot => {
    openSnapshots += 1;
    return {
      header: snapshot.header,
      chunks: (skip) => snapshot.chunks(skip),
      close: async () => {
        await snapshot.close();
        openSnapshots -= 1;
      },
    };
  };
  const saver: StateSaver = new StateSaver({
    store,
    storage: {
      log: storage.log,
      get logBytes() {
        return storage.logBytes;
      },
      save: otherwise.save ?? ((changes: readonly RecordChange[]) => storage.save(changes)),
      compact: otherwise.compact,
      takeSnapshot: () => counting(storage.takeSnapshot()),
    } as Storage,
    clock,
    guard,
    hashes,
    compaction: otherwise.compaction ?? { snapshotCount: 1e6, catchupEntries: 1e6, maxBytes: 1e9 },
    keepAfter: () => undefined,
    onSaved: () => {
      saver.saveSoon();
    },
  });
  return { storage, store, saver, hashes, failures, openSnapshots: () => openSnapshots };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a member that saves what it has applied", () => {
  it("compacts its log afterwards, but not once it is about to be replaced or closed", async (test) => {
    for (const isPaused of [false, true]) {
      const { promise: disk, resolve: heal } = Promise.withResolvers<void>();
      let compactions = 0;
      const { store, saver } = await saving(test, [setCommand("a", "1")], {
        save: () => disk,
        compact: () => {
          compactions += 1;
          return Promise.resolve();
        },
        compaction: { snapshotCount: 0, catchupEntries: 0, maxBytes: 1e9 },
      });
      applyTo(store, 1, setCommand("a", "1"));
      const saved = saver.saveApplied();
      const paused = isPaused ? saver.pause() : undefined;
      heal();
      await Promise.all([saved, paused]);
      assert.equal(compactions, isPaused ? 0 : 1);
    }
  });

  it("says so once when the disk fails, and waits no longer", async (test) => {
    const failure = new Error("broken");
    const { store, saver, failures } = await saving(test, [setCommand("a", "1")], {
      save: () => Promise.reject(failure),
    });
    applyTo(store, 1, setCommand("a", "1"));
    await saver.saveApplied();
    assert.deepEqual(failures, [failure]);
  });
});

describe("a member that is checked while it applies", () => {
  it("hashes its state right behind each check, however it saves", async (test) => {
    const commands = Array.from({ length: 600 }, (_, at) => {
      if (at % 97 === 50 || at % 97 === 51 || at % 97 === 60) return check;
      return at === 300 ? alarm : setCommand(`key-${String((at * 7) % 50)}`, `${String(at)} `.repeat(at));
    });
    const { store, saver, hashes, failures, openSnapshots } = await saving(test, commands);
    const plain = new Disk();
    const reference = new Store(plain, { cacheBytes: 0 });
    const expected = new Map<number, string>();
    const known = new Map<number, string | undefined>();
    for (const [position, command] of commands.entries()) {
      const index = position + 1;
      applyTo(reference, index, command);
      if (applyTo(store, index, command).result.kind === "check") {
        plain.write(reference.takeChanges());
        reference.persisted();
        expected.set(index, hashOf(plain));
        saver.check();
        assert.ok(hashes.isPending(logIndex(index)));
      }
      // Turns end at other places than checks do.
      if (index % 11 !== 0) continue;
      saver.saveSoon();
      await turn();
      if (index % 88 !== 0) continue;
      await until("all are hashed", () =>
        [...expected.keys()].every((at) => !hashes.isPending(logIndex(at))),
      );
      for (const at of expected.keys()) {
        const found = hashes.at(logIndex(at));
        if (found !== undefined) known.set(at, Buffer.from(found.hash).toString("hex"));
      }
    }
    assert.ok(expected.size > 15);
    for (const [index, hash] of known) assert.equal(hash, expected.get(index), `at ${String(index)}`);
    assert.ok(known.size >= expected.size - 3, "the last ones alone may be under way");
    await saver.finish();
    assert.equal(openSnapshots(), 0);
    assert.deepEqual(failures, []);
  });

  it("hashes the state as it was, when more was applied before it could be saved", async (test) => {
    const { store, saver, hashes } = await saving(test, [
      setCommand("a", "1"),
      check,
      setCommand("a", "2"),
      setCommand("b", "1"),
      check,
    ]);
    const plain = new Disk();
    const reference = new Store(plain, { cacheBytes: 0 });
    applyTo(reference, 1, setCommand("a", "1"));
    applyTo(reference, 2, check);
    plain.write(reference.takeChanges());
    for (const [position, command] of [setCommand("a", "1"), check].entries())
      applyTo(store, position + 1, command);
    saver.check();
    applyTo(store, 3, setCommand("a", "2"));
    applyTo(store, 4, setCommand("b", "1"));
    applyTo(store, 5, check);
    saver.check();
    saver.saveSoon();
    await until("both are hashed", () => hashes.at(logIndex(5)) !== undefined);
    const first = hashes.at(logIndex(2)) ?? assert.fail();
    assert.equal(Buffer.from(first.hash).toString("hex"), hashOf(plain));
    assert.equal(first.revision, 2);
    assert.notDeepEqual(first.hash, hashes.at(logIndex(5))?.hash);
    assert.equal(Buffer.from(store.get(Buffer.from("a"))?.value ?? []).toString(), "2");
  });

  it("keeps the last few hashes, and takes only so many checks at once", async (test) => {
    const commands = Array.from({ length: 20 }, () => check);
    const { store, saver, hashes } = await saving(test, commands);
    for (let index = 1; index <= 10; index += 1) {
      applyTo(store, index, check);
      saver.check();
    }
    assert.deepEqual(
      [8, 9].map((index) => hashes.isPending(logIndex(index))),
      [true, false],
    );
    saver.saveSoon();
    await until("all are hashed", () => hashes.at(logIndex(8)) !== undefined);
    applyTo(store, 11, check);
    saver.check();
    saver.saveSoon();
    await until("the next one is", () => hashes.at(logIndex(11)) !== undefined);
    assert.equal(hashes.at(logIndex(1)), undefined, "the oldest is forgotten");
    assert.ok(hashes.at(logIndex(2)) !== undefined);
  });

  it("gives up what it hashes when its state is replaced, and lets go of it", async (test) => {
    const commands = [setCommand("a", "x".repeat(5_000_000)), check, check];
    const { store, saver, hashes, openSnapshots } = await saving(test, commands);
    for (const [position, command] of commands.entries()) {
      applyTo(store, position + 1, command);
      if (command === check) saver.check();
    }
    saver.saveSoon();
    await until("the first is read", () => openSnapshots() > 0);
    await saver.pause();
    assert.equal(openSnapshots(), 0);
    for (const index of [2, 3]) {
      assert.equal(hashes.isPending(logIndex(index)), false);
      assert.equal(hashes.at(logIndex(index)), undefined);
    }
  });
});
