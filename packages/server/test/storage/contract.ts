/**
 * What every storage owes the rest of the server, as a suite: the one on disk passes it, and so must any
 * other.
 */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { logIndex } from "@dkv/raft";
import type { Storage } from "../../src/storage/storage.ts";
import {
  batch,
  bytes,
  change,
  changes,
  entry,
  hardState,
  identity,
  logOf,
  configuration,
  configurationEntry,
  initial,
  stateKey,
  text,
} from "./fixtures.ts";
import { scanContract } from "./scan-contract.ts";

/** A disk that can be opened again and again. */
export interface Medium {
  open(): Promise<Storage>;
}

/** @param createMedium makes an empty one, for {@link identity} and the {@link initial} configuration. */
export function storageContract(name: string, createMedium: (context: TestContext) => Promise<Medium>): void {
  const opened = async (context: TestContext): Promise<{ medium: Medium; storage: Storage }> => {
    const medium = await createMedium(context);
    return { medium, storage: await medium.open() };
  };
  const reopened = async ({ medium, storage }: { medium: Medium; storage: Storage }): Promise<Storage> => {
    await storage.close();
    return medium.open();
  };

  describe(name, () => {
    test("a new one knows who it belongs to and holds nothing", async (context) => {
      const { storage } = await opened(context);
      const { incarnation, ...owner } = storage.identity;
      assert.deepEqual(owner, identity);
      assert.notEqual(incarnation, 0n);
      assert.deepEqual(storage.configurations, [initial]);
      assert.deepEqual(storage.hardState, hardState(0));
      assert.deepEqual([storage.log.firstIndex, storage.log.lastIndex], [1, 0]);
      assert.equal(storage.log.termAt(logIndex(0)), 0);
      assert.equal(storage.log.termAt(logIndex(1)), undefined);
      assert.equal(storage.state.get(stateKey("a")), undefined);
      await storage.close();
    });

    test("what was written is read, at once and after opening again", async (context) => {
      const both = await opened(context);
      const entries = [
        entry(1, 1),
        { ...entry(2, 1, ""), kind: "empty" as const },
        configurationEntry(3, 2, configuration(3)),
      ];
      await both.storage.append(batch({ hardState: hardState(2, 1, 0xffff_ffff_ffff_fffen), entries }));
      await both.storage.save(changes([change("a", "1")], { index: 1, term: 1 }));
      const check = (storage: Storage): void => {
        assert.deepEqual(logOf(storage), entries);
        assert.deepEqual(
          [1, 2, 3, 4].map((index) => storage.log.termAt(logIndex(index))),
          [1, 1, 2, undefined],
        );
        assert.equal(text(storage.state.get(stateKey("a"))), "1");
      };
      check(both.storage);
      const storage = await reopened(both);
      check(storage);
      assert.deepEqual(storage.hardState, hardState(2, 1, 0xffff_ffff_ffff_fffen));
      await storage.close();
    });

    test("a batch may hold any part alone, or nothing", async (context) => {
      const both = await opened(context);
      await both.storage.append(batch({ hardState: hardState(1) }));
      await both.storage.append(batch({ entries: [entry(1, 1)] }));
      await both.storage.append(batch({}));
      await both.storage.save(changes([change("a", "1")]));
      await both.storage.save([]);
      const storage = await reopened(both);
      assert.deepEqual(storage.hardState, hardState(1));
      assert.deepEqual(logOf(storage), [entry(1, 1)]);
      assert.equal(text(storage.state.get(stateKey("a"))), "1");
      await storage.close();
    });

    test("changes overwrite and delete", async (context) => {
      const both = await opened(context);
      await both.storage.save(changes([change("a", "1"), change("b", "1"), change("c", "")]));
      await both.storage.save(changes([change("a", "2"), change("b", undefined)]));
      const storage = await reopened(both);
      assert.deepEqual(
        ["a", "b", "c"].map((key) => text(storage.state.get(stateKey(key)))),
        ["2", undefined, ""],
      );
      await storage.close();
    });

    test("entries replace all from the first one's index on, also beyond the last", async (context) => {
      const both = await opened(context);
      await both.storage.append(
        batch({ hardState: hardState(1), entries: [1, 2, 3, 4, 5].map((index) => entry(index, 1)) }),
      );
      await both.storage.append(batch({ hardState: hardState(2), entries: [entry(3, 2)] }));
      const expected = [entry(1, 1), entry(2, 1), entry(3, 2)];
      assert.deepEqual(logOf(both.storage), expected);
      assert.equal(both.storage.log.termAt(logIndex(4)), undefined);
      const storage = await reopened(both);
      assert.deepEqual(logOf(storage), expected);
      await storage.append(batch({ entries: [entry(4, 2)] }));
      assert.deepEqual(logOf(storage), [...expected, entry(4, 2)]);
      await storage.close();
    });

    test("configurations are those of the log, and go with the entries that are replaced", async (context) => {
      const both = await opened(context);
      const at = (index: number, voters: number): object => ({ index, configuration: configuration(voters) });
      await both.storage.append(
        batch({
          hardState: hardState(1),
          entries: [entry(1, 1), configurationEntry(2, 1, configuration(3)), entry(3, 1)],
        }),
      );
      await both.storage.append(batch({ entries: [configurationEntry(4, 1, configuration(4))] }));
      assert.deepEqual(both.storage.configurations, [initial, at(2, 3), at(4, 4)]);
      await both.storage.append(batch({ hardState: hardState(2), entries: [entry(3, 2)] }));
      assert.deepEqual(both.storage.configurations, [initial, at(2, 3)]);
      const storage = await reopened(both);
      assert.deepEqual(storage.configurations, [initial, at(2, 3)]);
      await storage.append(batch({ entries: [configurationEntry(1, 2, configuration(5))] }));
      assert.deepEqual(storage.configurations, [initial, at(1, 5)]);
      await storage.close();
    });

    test("a configuration that is none is refused before anything is written", async (context) => {
      const both = await opened(context);
      const wrong = { ...entry(1, 1), kind: "configuration" as const };
      await assert.rejects(
        async () => both.storage.append(batch({ hardState: hardState(1), entries: [wrong] })),
        /no configuration/,
      );
      const storage = await reopened(both);
      assert.deepEqual([storage.log.lastIndex, storage.hardState], [0, hardState(0)]);
      await storage.close();
    });

    test("log and state are written at the same time", async (context) => {
      const both = await opened(context);
      await both.storage.append(batch({ hardState: hardState(1), entries: [entry(1, 1)] }));
      await Promise.all([
        both.storage.save(changes([change("a", "1")], { index: 1, term: 1 })),
        both.storage.append(batch({ entries: [entry(2, 1)] })),
      ]);
      const storage = await reopened(both);
      assert.deepEqual(logOf(storage), [entry(1, 1), entry(2, 1)]);
      assert.equal(text(storage.state.get(stateKey("a"))), "1");
      await storage.close();
    });

    test("what was applied is committed, whatever the last hard state says", async (context) => {
      const both = await opened(context);
      await both.storage.append(batch({ hardState: hardState(1), entries: [entry(1, 1), entry(2, 1)] }));
      await both.storage.save(changes([], { index: 2, term: 1 }));
      const storage = await reopened(both);
      assert.deepEqual(storage.hardState, hardState(1, 2));
      await storage.close();
    });

    test("the state may not be ahead of the log", async (context) => {
      const { storage } = await opened(context);
      await storage.append(batch({ hardState: hardState(1), entries: [entry(1, 1)] }));
      await assert.rejects(
        storage.save(changes([], { index: 2, term: 1 })),
        /the applied index is within the log/,
      );
      await storage.close();
    });

    test("entries are given up to a number of bytes, and always one", async (context) => {
      const { storage } = await opened(context);
      await storage.append(
        batch({
          hardState: hardState(1),
          entries: [1, 2, 3, 4].map((index) => entry(index, 1, "x".repeat(100))),
        }),
      );
      const count = (to: number, maxBytes: number): number =>
        storage.log.entries(logIndex(2), logIndex(to), maxBytes).length;
      assert.deepEqual(
        [count(5, 0), count(5, 199), count(5, 200), count(5, 1000), count(3, 1000)],
        [1, 1, 2, 3, 1],
      );
      await storage.close();
    });

    test("any bytes are kept as they are", async (context) => {
      const both = await opened(context);
      const all = Uint8Array.from({ length: 256 }, (_, value) => value);
      const big = new Uint8Array(3 * 2 ** 20).fill(0xa5);
      await both.storage.append(
        batch({
          hardState: hardState(1),
          entries: [entry(1, 1, all), entry(2, 1, big), entry(3, 1, "")],
        }),
      );
      await both.storage.save(
        changes([
          { key: Uint8Array.of(0x20, ...all), value: all },
          { key: stateKey("big"), value: big },
        ]),
      );
      const storage = await reopened(both);
      assert.deepEqual(logOf(storage), [entry(1, 1, all), entry(2, 1, big), entry(3, 1, "")]);
      assert.deepEqual(Buffer.from(storage.state.get(Uint8Array.of(0x20, ...all)) ?? []), Buffer.from(all));
      assert.deepEqual(Buffer.from(storage.state.get(stateKey("big")) ?? []), Buffer.from(big));
      await storage.close();
    });

    test("the bytes given may be used again once the batch is durable", async (context) => {
      const both = await opened(context);
      const value = bytes("before");
      await both.storage.save(changes([{ key: stateKey("a"), value }]));
      value.fill(0);
      const storage = await reopened(both);
      assert.equal(text(storage.state.get(stateKey("a"))), "before");
      await storage.close();
    });

    test("nothing is written after closing, and closing waits for what is being written", async (context) => {
      const both = await opened(context);
      const written = both.storage.save(changes([change("a", "1")]));
      await both.storage.close();
      await written;
      await assert.rejects(both.storage.save(changes([change("a", "2")])), /closed/);
      await assert.rejects(both.storage.append(batch({ hardState: hardState(1) })), /closed/);
      const storage = await both.medium.open();
      assert.equal(text(storage.state.get(stateKey("a"))), "1");
      await storage.close();
    });

    test("changes that are not the state machine's are refused", async (context) => {
      const { storage } = await opened(context);
      const foreign = { key: Uint8Array.of(0x00, 0x03), value: bytes("x") };
      await assert.rejects(storage.save(changes([foreign])), /assertion failed/);
      await storage.close();
    });

    scanContract(createMedium);

    for (const [fact, wrong] of impossible) {
      test(`a batch is refused before anything is written unless ${fact}`, async (context) => {
        const { storage } = await opened(context);
        await storage.append(batch({ hardState: hardState(2), entries: [entry(1, 1), entry(2, 2)] }));
        await assert.rejects(async () => storage.append(wrong), /assertion failed/);
        assert.deepEqual(logOf(storage), [entry(1, 1), entry(2, 2)]);
        await storage.close();
      });
    }
  });
}

const impossible = [
  ["its entries follow the log", batch({ entries: [entry(4, 2)] })],
  ["its entries are contiguous", batch({ entries: [entry(3, 2), entry(5, 2)] })],
  ["terms do not decrease along the log", batch({ entries: [entry(3, 1)] })],
  ["no entry is of a later term than the current one", batch({ entries: [entry(3, 3)] })],
  ["the current term does not decrease", batch({ hardState: hardState(1) })],
  ["the commit index is within the log", batch({ hardState: hardState(2, 3) })],
] as const;
