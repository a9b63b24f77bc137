/** The log store, with caches of several sizes, against an array. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { logIndex, type Entry } from "@dkv/raft";
import fc from "fast-check";
import { sealEntries } from "../../src/storage/entry-codec.ts";
import { entryKey } from "../../src/storage/keyspace.ts";
import { LogStore } from "../../src/storage/log-store.ts";
import { entry } from "./fixtures.ts";

const hex = (key: Uint8Array): string => Buffer.from(key).toString("hex");

class Records {
  readonly #records = new Map<string, Uint8Array>();

  get = (key: Uint8Array): Uint8Array | undefined => this.#records.get(hex(key));

  write(entries: readonly Entry[], obsolete: readonly number[]): void {
    for (const { key, value } of sealEntries(entries)) this.#records.set(hex(key), Buffer.from(value));
    for (const index of obsolete) this.#records.delete(hex(entryKey(index)));
  }

  get size(): number {
    return this.#records.size;
  }
}

interface Append {
  /** Where to begin, as a share of the log; beyond 1 at its end. */
  readonly at: number;
  readonly count: number;
  readonly dataBytes: number;
  readonly reopens: boolean;
}

const append: fc.Arbitrary<Append> = fc.record({
  at: fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  ),
  count: fc.integer({ min: 0, max: 8 }),
  dataBytes: fc.integer({ min: 0, max: 60 }),
  reopens: fc.boolean(),
});

test("reads what an array would hold, whatever fits into memory", () => {
  fc.assert(
    fc.property(
      fc.array(append, { maxLength: 30 }),
      fc.constantFrom(0, 300, 2000, 1_000_000),
      (appends, cacheBytes) => {
        const records = new Records();
        let model: Entry[] = [];
        let log = new LogStore(records, { lastIndex: logIndex(0), cacheBytes });
        for (const [round, { at, count, dataBytes, reopens }] of appends.entries()) {
          const kept = Math.floor(model.length * at);
          const entries = Array.from({ length: count }, (_, position) =>
            entry(kept + position + 1, round + 1, Buffer.alloc(dataBytes, round)),
          );
          log.checkAppend(entries);
          records.write(entries, log.obsoleteAfter(entries));
          log.appended(entries);
          if (count > 0) model = [...model.slice(0, kept), ...entries];
          if (reopens) log = new LogStore(records, { lastIndex: logIndex(model.length), cacheBytes });
          check(log, model);
          assert.equal(records.size, model.length, "nothing is stored beyond the last entry");
        }
      },
    ),
    { numRuns: 200 },
  );
});

function check(log: LogStore, model: readonly Entry[]): void {
  assert.equal(log.lastIndex, model.length);
  for (let index = 0; index <= model.length + 1; index += 1) {
    assert.equal(log.termAt(logIndex(index)), index === 0 ? 0 : model[index - 1]?.term);
  }
  for (const from of [1, Math.ceil(model.length / 2)]) {
    if (from < 1 || model.length === 0) continue;
    const read = log.entries(logIndex(from), logIndex(model.length + 1), 100);
    assert.deepEqual(read.map(plain), fitting(model.slice(from - 1), 100).map(plain));
  }
}

/** At least one, then as many as fit. */
function fitting(entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  const total = (count: number): number =>
    entries.slice(0, count).reduce((bytes, { data }) => bytes + data.length, 0);
  return entries.filter((_, position) => position === 0 || total(position + 1) <= maxBytes);
}

const plain = ({ index, term, kind, data }: Entry): string =>
  `${String(index)} ${String(term)} ${kind} ${hex(data)}`;

test("recent entries are read from memory, older ones from the disk", () => {
  const records = new Records();
  let reads = 0;
  const counted = {
    get: (key: Uint8Array) => {
      reads += 1;
      return records.get(key);
    },
  };
  const log = new LogStore(counted, { lastIndex: logIndex(0), cacheBytes: 10_000 });
  const entries = Array.from({ length: 100 }, (_, position) => entry(position + 1, 1, Buffer.alloc(750)));
  records.write(entries, []);
  log.appended(entries);
  log.entries(logIndex(91), logIndex(101), Number.POSITIVE_INFINITY);
  assert.equal(reads, 0);
  log.entries(logIndex(90), logIndex(101), Number.POSITIVE_INFINITY);
  assert.equal(reads, 1);
});

test("an entry that is missing or damaged on the disk is never given out", () => {
  const records = new Records();
  const entries = [entry(1, 1), entry(2, 1)];
  records.write(entries, [2]);
  const log = new LogStore(records, { lastIndex: logIndex(2), cacheBytes: 0 });
  assert.throws(() => log.termAt(logIndex(2)), /log entry 2 is missing/);
  const [first] = sealEntries([entry(1, 1)]);
  first?.value.fill(0, 3, 4);
  first?.value.fill(1, 4, 5);
  const damaged = new LogStore({ get: () => first?.value }, { lastIndex: logIndex(1), cacheBytes: 0 });
  assert.throws(() => damaged.termAt(logIndex(1)), /the checksum of log entry 1 is wrong/);
});
