import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BatchNumbers } from "../../src/storage/state/batch-numbers.ts";

const mebibyte = 2 ** 20;

test("markers are kept while their batch may still be in a log file, and go when it cannot be", () => {
  const safeBytes = 20 * mebibyte;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 6 * mebibyte }), { minLength: 200, maxLength: 200 }),
      (sizes) => {
        const numbers = new BatchNumbers({ last: 1, oldestKept: 1, safeBytes });
        const kept = new Set([1]);
        const endOf = new Map<number, number>();
        let total = 0;
        for (const bytes of sizes) {
          const next = numbers.next();
          kept.add(next.batch);
          for (const batch of next.obsolete) {
            assert.ok(
              batch === 1 || total - (endOf.get(batch) ?? total) > safeBytes,
              `batch ${String(batch)} may be in a log`,
            );
            assert.ok(kept.delete(batch), "each marker is removed once");
          }
          assert.equal(Math.min(...kept), next.oldestKept);
          total += bytes;
          endOf.set(next.batch, total);
          numbers.written(next, bytes);
        }
        const inReach = [...endOf.values()].filter((end) => total - end <= safeBytes + 20 * mebibyte).length;
        assert.ok(kept.size <= inReach + 16, `${String(kept.size)} markers are kept`);
      },
    ),
    { numRuns: 30 },
  );
});

test("a backlog found at the start goes away a little with each batch", () => {
  const numbers = new BatchNumbers({ last: 100, oldestKept: 41, safeBytes: mebibyte });
  const removed: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const next = numbers.next();
    removed.push(next.obsolete.length);
    numbers.written(next, 10);
  }
  assert.deepEqual(removed, [16, 16, 16, 12, 0]);
  assert.deepEqual(numbers.next(), { batch: 106, oldestKept: 101, obsolete: [] });
});

test("a number is given again until its batch is written", () => {
  const numbers = new BatchNumbers({ last: 5, oldestKept: 5, safeBytes: mebibyte });
  assert.deepEqual(numbers.next(), numbers.next());
});
