import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantViolation } from "../src/assert.ts";
import { encodeConfiguration } from "../src/configuration/codec.ts";
import { initialConfiguration } from "../src/configuration/configuration.ts";
import { ConfigurationHistory } from "../src/configuration/history.ts";
import { RaftLog } from "../src/log.ts";
import { Outbox } from "../src/outbox.ts";
import { Persistence } from "../src/persistence.ts";
import type { EntryId } from "../src/types.ts";
import { logIndex, term } from "../src/types.ts";
import { MemoryLog } from "./memory-log.ts";
import { at, entries, entry, members, n } from "./solo.ts";

const everything = 1 << 20;

/** A log with the first terms on disk and the others only in memory. */
function log(
  stored: readonly number[],
  unstable: readonly number[] = [],
  commit = 0,
): { log: RaftLog; disk: MemoryLog } {
  const disk = new MemoryLog(entries(stored));
  const base = { index: logIndex(0), configuration: initialConfiguration([n(1)]) };
  const made = new RaftLog(disk, {
    commit: logIndex(commit),
    applied: logIndex(0),
    configurations: new ConfigurationHistory(base),
  });
  made.append(entries(unstable, stored.length + 1));
  return { log: made, disk };
}

function terms(of: RaftLog): readonly number[] {
  if (of.lastIndex === 0) return [];
  return of.entries(logIndex(1), logIndex(of.lastIndex + 1), everything).map((one) => one.term);
}

test("stored and unstable entries read as one log", () => {
  const { log: both } = log([1, 1], [2, 3]);
  assert.deepEqual(terms(both), [1, 1, 2, 3]);
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((index) => both.termAt(logIndex(index))),
    [0, 1, 1, 2, 3, undefined],
  );
  assert.deepEqual(both.lastEntry, at(4, 3));
  assert.equal(both.stableIndex, 2);
});

test("appending replaces everything from the first new entry on, stored or not", () => {
  const { log: replaced } = log([1, 1, 1], [2, 2]);
  replaced.append(entries([3], 5));
  assert.deepEqual(terms(replaced), [1, 1, 1, 2, 3]);
  replaced.append(entries([4], 2));
  assert.deepEqual(terms(replaced), [1, 4]);
  assert.equal(replaced.stableIndex, 1, "what the disk holds from there on counts for nothing");
});

test("a gap is refused", () => {
  assert.throws(() => {
    log([1]).log.append([entry(3, 1)]);
  }, InvariantViolation);
});

test("committed entries are never replaced", () => {
  const { log: committed } = log([1, 1, 1], [], 2);
  committed.append(entries([2], 3));
  assert.throws(() => {
    committed.append(entries([2], 2));
  }, InvariantViolation);
});

test("the commit index rises and never falls", () => {
  const { log: committed } = log([1, 1, 1], [], 1);
  assert.equal(committed.commitTo(logIndex(3)), true);
  assert.equal(committed.commitTo(logIndex(2)), false);
  assert.equal(committed.committed, 3);
  assert.throws(() => committed.commitTo(logIndex(4)), InvariantViolation);
});

test("committed entries are handed out once, in order, in portions", () => {
  const { log: committed } = log([1, 1, 1], [1, 1]);
  committed.commitTo(logIndex(4));
  assert.deepEqual(
    committed.takeCommitted(2).map((one) => one.index),
    [1, 2],
    "each entry has one byte",
  );
  assert.deepEqual(
    committed.takeCommitted(2).map((one) => one.index),
    [3],
    "and 4 is not durable here",
  );
  assert.deepEqual(committed.takeCommitted(2), []);
});

test("a portion is at least one entry, and no more than fits, across disk and memory", () => {
  const { log: both } = log([1, 1, 1], [1, 1]);
  const indices = (from: number, maxBytes: number): readonly number[] =>
    both.entries(logIndex(from), logIndex(6), maxBytes).map((one) => one.index);
  assert.deepEqual(indices(1, 0), [1]);
  assert.deepEqual(indices(1, 2), [1, 2]);
  assert.deepEqual(indices(1, 3), [1, 2, 3]);
  assert.deepEqual(indices(1, 4), [1, 2, 3, 4]);
  assert.deepEqual(indices(1, 9), [1, 2, 3, 4, 5]);
  assert.deepEqual(indices(4, 0), [4]);
});

test("a portion leaves nothing out on the way, whatever its entries weigh and wherever they are", () => {
  const sizes = fc.array(fc.nat(4), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(sizes, fc.nat(10), fc.nat(9), fc.nat(9), fc.nat(20), (all, storedCount, a, b, maxBytes) => {
      const made = all.map((size, position) => entry(position + 1, 1, "x".repeat(size)));
      const { log: both, disk } = log([]);
      both.append(made);
      const stored = made.slice(0, storedCount);
      disk.write(stored);
      const last = stored.at(-1);
      if (last !== undefined) both.stableTo(last);

      const from = 1 + Math.min(a, b, made.length - 1);
      const to = 1 + Math.min(Math.max(a, b) + 1, made.length);
      const expected: number[] = [];
      let bytes = 0;
      for (const { index, data } of made.slice(from - 1, to - 1)) {
        bytes += data.length;
        if (bytes > maxBytes && expected.length > 0) break;
        expected.push(index);
      }
      const portion = both.entries(logIndex(from), logIndex(to), maxBytes);
      assert.deepEqual(
        portion.map(({ index }) => index),
        expected,
      );
    }),
    // The second entry does not fit after the first. The third, in memory, would.
    { examples: [[[1, 3, 1], 2, 0, 2, 2]] },
  );
});

test("a batch makes its entries stable", () => {
  const { log: written, disk } = log([1], [2, 2]);
  disk.write(written.unstableEntries());
  written.append(entries([2], 4));
  written.stableTo(at(3, 2));
  assert.equal(written.stableIndex, 3);
  assert.deepEqual(
    written.unstableEntries().map((one) => one.index),
    [4],
    "it came after the batch",
  );
});

test("a batch whose last entry was replaced meanwhile makes nothing stable", () => {
  const { log: written, disk } = log([1], [2, 2]);
  disk.write(written.unstableEntries());
  written.append(entries([3, 3], 2));
  written.stableTo(at(3, 2));
  assert.equal(written.stableIndex, 1);
  assert.deepEqual(
    written.unstableEntries().map((one) => one.term),
    [3, 3],
  );
});

test("a batch that reached further than the log does now makes nothing stable", () => {
  const { log: written, disk } = log([1], [2, 2, 2]);
  disk.write(written.unstableEntries());
  written.append(entries([3], 2));
  written.stableTo(at(4, 2));
  assert.equal(written.stableIndex, 1);
});

test("a batch taken is not changed by what is appended later", () => {
  const { log: written } = log([], [1, 1]);
  const batch = written.unstableEntries();
  written.append(entries([2], 1));
  assert.deepEqual(
    batch.map((one) => one.term),
    [1, 1],
  );
});

test("the last entry that is not above a limit is found as by looking at each", () => {
  const ascending = fc
    .array(fc.integer({ min: 1, max: 6 }), { maxLength: 12 })
    .map((all) => all.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(ascending, fc.nat(12), fc.nat(14), fc.nat(7), (all, storedCount, index, ofTerm) => {
      const { log: whole } = log(all.slice(0, storedCount), all.slice(storedCount));
      let expected: EntryId = at(0, 0);
      for (const [position, one] of all.entries()) {
        if (position + 1 <= index && one <= ofTerm) expected = at(position + 1, one);
      }
      assert.deepEqual(whole.lastNotAbove(at(index, ofTerm)), expected);
    }),
  );
});

test("a log with a commit index beyond its end is refused", () => {
  assert.throws(() => log([1], [], 2), InvariantViolation);
});

/** A log of seven entries of terms 1, 1, 2, 2, 3, 3, 5, whose beginning up to `dropped` is gone. */
function compacted(dropped: number): { log: RaftLog; disk: MemoryLog } {
  const made = log([1, 1, 2, 2, 3, 3, 5], [], dropped);
  made.disk.drop(logIndex(dropped));
  return made;
}

test("the beginning may be dropped at any time; the entry before the first keeps its term", () => {
  const { log: short, disk } = compacted(3);
  assert.deepEqual([short.firstIndex, short.lastIndex], [4, 7]);
  assert.deepEqual(
    [2, 3, 4].map((index) => short.termAt(logIndex(index))),
    [undefined, 2, 2],
  );
  assert.throws(() => short.entries(logIndex(3), logIndex(5), everything), InvariantViolation);
  disk.drop(logIndex(7));
  assert.deepEqual([short.firstIndex, short.lastEntry], [8, at(7, 5)]);
});

test("before the beginning of a log nothing is known, so a limit there is answered as it is", () => {
  const { log: short } = compacted(4);
  assert.deepEqual(short.lastNotAbove(at(3, 1)), at(3, 1));
  assert.deepEqual(short.lastNotAbove(at(4, 2)), at(4, 2));
  assert.deepEqual(short.lastNotAbove(at(6, 2)), at(4, 2));
  assert.deepEqual(short.lastNotAbove(at(6, 1)), at(4, 2), "the least that is known");
  assert.deepEqual(short.lastNotAbove(at(9, 4)), at(6, 3));
});

const snapshot = { last: at(9, 5), configuration: members([1, 2]) };

test("a snapshot takes the place of the whole log, and of its configurations", () => {
  const { log: restored, disk } = log([1, 1], [2, 2], 1);
  restored.restore(snapshot);
  assert.deepEqual([restored.firstIndex, restored.lastEntry, restored.committed], [10, at(9, 5), 9]);
  assert.deepEqual(
    [1, 2, 3, 9].map((index) => restored.termAt(logIndex(index))),
    [undefined, undefined, undefined, 5],
  );
  assert.deepEqual(restored.configurations.latest, { index: 9, configuration: snapshot.configuration });
  assert.deepEqual([restored.stableIndex, restored.handedOut], [0, 0], "nothing of it is stored");
  assert.deepEqual([restored.hasUnstable, restored.hasCommittedToHandOut], [false, false]);
  disk.restart(snapshot.last);
  restored.restored(snapshot);
  assert.deepEqual([restored.stableIndex, restored.handedOut, restored.installing], [9, 9, undefined]);
});

test("entries that follow a snapshot are unstable until they are stored after it", () => {
  const { log: restored, disk } = log([1, 1]);
  restored.restore(snapshot);
  restored.append(entries([5, 5], 10));
  assert.deepEqual([restored.stableIndex, restored.lastIndex], [0, 11]);
  disk.restart(snapshot.last);
  disk.write(entries([5], 10));
  restored.restored(snapshot);
  restored.stableTo(at(10, 5));
  assert.equal(restored.stableIndex, 10);
});

test("a snapshot that was replaced by a later one before it was stored is not the end of the install", () => {
  const { log: restored, disk } = log([1, 1]);
  restored.restore(snapshot);
  const later = { ...snapshot, last: at(12, 6) };
  restored.restore(later);
  disk.restart(snapshot.last);
  restored.restored(snapshot);
  assert.equal(restored.installing, later);
  assert.deepEqual([restored.stableIndex, restored.firstIndex], [9, 13]);
});

test("a snapshot that brings nothing new is a mistake of the caller", () => {
  const { log: ahead } = log([1, 1, 1], [], 3);
  assert.throws(() => {
    ahead.restore({ ...snapshot, last: at(3, 1) });
  }, InvariantViolation);
});

test("with the next batch the configurations of what was dropped are forgotten, but for the last", () => {
  const { log: short, disk } = log([1], [], 1);
  const made = [2, 3, 4].map((index) => ({
    ...entry(index, 1),
    kind: "configuration" as const,
    data: encodeConfiguration(members([index])),
  }));
  short.append(made);
  disk.write(made);
  const hardState = { term: term(1), votedFor: undefined, commit: logIndex(1) };
  const persistence = new Persistence(hardState);
  const { id } = persistence.take(hardState, short, new Outbox());
  disk.drop(logIndex(3));
  persistence.confirm(id, short);
  assert.equal(short.configurations.at(logIndex(3)).index, 3);
  assert.throws(() => short.configurations.at(logIndex(2)), InvariantViolation);
});
