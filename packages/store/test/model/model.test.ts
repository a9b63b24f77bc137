/**
 * The store against an obviously right one, step by step. More steps than `make test` does:
 *
 *   DKV_STEPS=100000 node --test packages/store/test/model/model.test.ts
 */
import { test } from "node:test";
import fc from "fast-check";
import { type Count, someSteps } from "./steps.ts";
import { World } from "./world.ts";

const steps = Number(process.env["DKV_STEPS"] ?? 20_000);
const firstSeed = Number(process.env["DKV_SEED"] ?? 1);
const runsAtOnce = 25;

const someOptions = fc.record({
  cacheBytes: fc.constantFrom(0, 3000, 1_000_000),
  pieceChanges: fc.constantFrom(1, 2, 7, 1000),
  disk: fc.record({ batchRecords: fc.constantFrom(1, 2, 50), turns: fc.constantFrom(1, 5, 20) }),
});

test("answers, changes and records are those of the model, through saves, crashes, snapshots", async (t) => {
  const count: Count = { steps: 0 };
  for (let seed = firstSeed; count.steps < steps; seed += 1)
    await fc.assert(
      fc.asyncProperty(someSteps(200), someOptions, async (commands, options) => {
        const world = new World(options);
        await fc.asyncModelRun(() => ({ model: count, real: world }), commands);
        await world.settle();
        await world.clear();
      }),
      { numRuns: runsAtOnce, seed },
    );
  t.diagnostic(`${String(count.steps)} steps`);
});
