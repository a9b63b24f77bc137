import assert from "node:assert/strict";
import { test } from "node:test";
import { fromPs, residentMemory } from "../../src/platform/resident-memory.ts";
import { memoryGrowth } from "../../src/recovery/memory-watch.ts";

const samples = (...sizes: readonly number[]) =>
  sizes.map((bytes, at) => ({ atMs: at, bytes, ownBytes: bytes / 10 }));

test("memory grew from the middle of what it was to the most that it became", () => {
  assert.deepEqual(memoryGrowth(samples(90, 200, 100), samples(120, 250, 130)), {
    beforeBytes: 100,
    peakBytes: 250,
    growthBytes: 150,
    ownGrowthBytes: 15,
  });
});

test("without samples before or during nothing is claimed", () => {
  assert.equal(memoryGrowth([], samples(1)), undefined);
  assert.equal(memoryGrowth(samples(1), []), undefined);
});

test("this process has memory, by /proc as by ps, and one that is not there has none", async () => {
  const [known, byPs] = await Promise.all([residentMemory(process.pid), fromPs(process.pid)]);
  assert.ok(known !== undefined && known.bytes > 10e6, `${known?.bytes}`);
  assert.ok(known.ownBytes === undefined || (known.ownBytes > 1e6 && known.ownBytes <= known.bytes));
  assert.ok(byPs !== undefined && byPs.bytes > 10e6, `${byPs?.bytes}`);
  assert.equal(await residentMemory(0), undefined);
});
