/** Members that have applied the same entries hold the same bytes, whatever else they did meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Asked, foundation, someAsked } from "./asked.ts";
import { type LogEntry, Member, type MemberOptions, type Saving } from "./member.ts";
import { Model } from "./model.ts";
import type { Sketch } from "./sketches.ts";

const seed = Number(process.env["DKV_SEED"] ?? 1);

/** What a log has, with what is in it about revisions filled in. */
function logOf(sketches: readonly Sketch<Asked>[]): readonly LogEntry[] {
  const model = new Model();
  return sketches.map((sketch, at) => {
    const { revision, compactRevision, rules } = model;
    const now = { revision, compactRevision, term: 1, index: at, authRevision: rules.revision };
    const { operation, origin } = sketch(now);
    const place = { index: at + 1, term: 1 };
    model.apply(place, operation, origin);
    return { place, operation, origin };
  });
}

/** With rules of force from its middle on, in half of them. */
const someLog = fc
  .tuple(
    fc.array(someAsked, { maxLength: 40, size: "max" }),
    fc.constantFrom(foundation, []),
    fc.array(someAsked, { minLength: 1, maxLength: 40, size: "max" }),
  )
  .map(([before, rules, after]) => logOf([...before, ...rules, ...after]));

/** How one member goes about it. */
interface Habits {
  readonly cacheBytes: number;
  readonly batchRecords: number;
  readonly isWanted: boolean;
  /** After how many entries it crashes, and applies again what its disk has not; 0 for never. */
  readonly crashEvery: number;
  readonly savings: readonly Saving[];
}

const someHabits: fc.Arbitrary<Habits> = fc.record({
  cacheBytes: fc.constantFrom(0, 2000, 1_000_000),
  batchRecords: fc.integer({ min: 1, max: 20 }),
  isWanted: fc.boolean(),
  crashEvery: fc.constantFrom(0, 5, 17),
  savings: fc.array(fc.constantFrom<Saving>("turn", "turn", "turn", "take", "write", "report"), {
    maxLength: 9,
  }),
});

function memberWith({ cacheBytes, batchRecords }: Habits, pieceChanges: number): Member {
  const options: MemberOptions = { cacheBytes, pieceChanges, disk: { batchRecords, turns: 1 } };
  return new Member(options);
}

/** Applies all up to an index, and saves it. */
async function play(member: Member, log: readonly LogEntry[], habits: Habits): Promise<void> {
  const { isWanted, crashEvery, savings } = habits;
  let untilCrash = crashEvery;
  while (member.store.appliedIndex < log.length) {
    const entry = log[member.store.appliedIndex] ?? assert.fail("the log has it");
    const from = entry.place.index % (savings.length + 1);
    await member.apply(entry, { isWanted, meanwhile: [...savings.slice(from), ...savings.slice(0, from)] });
    untilCrash -= 1;
    if (untilCrash === 0) member.crash();
  }
  await member.flush();
}

test("the same entries make the same bytes: any cache, any saves, wanted or not, crashes", async () => {
  const pieces = fc.constantFrom(1, 3, 1000);
  await fc.assert(
    fc.asyncProperty(someLog, someHabits, someHabits, pieces, async (log, one, other, pieceChanges) => {
      const pair = [one, other].map((habits) => ({ habits, member: memberWith(habits, pieceChanges) }));
      // At each of these indices, also between two pieces of a compaction.
      for (let index = 10; index < log.length + 10; index += 10) {
        const contents: (readonly string[])[] = [];
        for (const { habits, member } of pair) {
          await play(member, log.slice(0, index), habits);
          contents.push(member.disk.content());
        }
        assert.deepEqual(contents[0], contents[1]);
      }
    }),
    { numRuns: 150, seed },
  );
});

test("two members that save at the same indices write the same batches, whatever their caches", async () => {
  await fc.assert(
    fc.asyncProperty(someLog, someHabits, someHabits, async (log, one, other) => {
      const written = [one, other].map(async (habits) => {
        const { store, disk } = memberWith(habits, 2);
        const batches: unknown[] = [];
        for (const { place, operation = assert.fail("there is one"), origin } of log) {
          const command = { id: { proposer: 1n, sequence: place.index }, operation, origin };
          const prepared = await store.prepare(command, habits.isWanted);
          store.apply(place, command, { prepared, isWanted: habits.isWanted });
          if (place.index % 7 !== 0) continue;
          const changes = store.takeChanges();
          disk.write(changes);
          store.persisted();
          batches.push(changes.map(({ key, value }) => [Buffer.from(key), value && Buffer.from(value)]));
        }
        return batches;
      });
      const [first, second] = await Promise.all(written);
      assert.deepEqual(first, second);
    }),
    { numRuns: 60, seed },
  );
});
