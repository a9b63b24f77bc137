/** The log in its files, with little or much of it in memory, against an array. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { logIndex, type Entry } from "@dkv/raft";
import fc from "fast-check";
import { systemClock } from "../../src/platform/clock.ts";
import { createLog } from "../../src/storage/log/create-log.ts";
import type { LogBase } from "../../src/storage/log/log-base.ts";
import { recoverLog } from "../../src/storage/log/recover-log.ts";
import type { LogOptions } from "../../src/storage/log/log-end.ts";
import { SegmentedLog } from "../../src/storage/log/segmented-log.ts";
import { batch, entry, hardState, identity, logStart, temporaryDirectory } from "./fixtures.ts";

interface Append {
  /** Where to begin, as a share of the log; beyond 1 at its end. */
  readonly at: number;
  readonly count: number;
  readonly dataBytes: number;
  readonly reopens: boolean;
  /** How much of the log is applied then, as a share of it; what is applied is dropped where it can be. */
  readonly applied: number | undefined;
}

const append: fc.Arbitrary<Append> = fc.record({
  at: fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  ),
  count: fc.integer({ min: 0, max: 8 }),
  dataBytes: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20_000 })),
  reopens: fc.boolean(),
  applied: fc.option(fc.double({ min: 0.3, max: 1, noNaN: true }), { nil: undefined, freq: 3 }),
});

async function open(options: LogOptions, base = logStart): Promise<SegmentedLog> {
  const recovered = await recoverLog({ ...options, base, durableRecord: 0, clock: systemClock });
  return new SegmentedLog(options, recovered.settle(), { ...recovered.contents, clock: systemClock });
}

async function created(context: TestContext, recentBytes: number): Promise<LogOptions> {
  const directory = join(await temporaryDirectory(context), "log");
  const options = { directory, identity, segmentBytes: 16 * 1024, recentBytes };
  await createLog(options);
  return options;
}

/** What the log must be like. */
interface Model {
  readonly entries: readonly Entry[];
  readonly base: LogBase;
  /** Nothing up to here is replaced any more. */
  readonly applied: number;
}

test("reads what an array would hold, whatever fits into memory and into a segment, and is dropped", async (context) => {
  const appends = fc.array(append, { maxLength: 30 });
  const recentBytes = fc.constantFrom(0, 300, 20_000, 1_000_000);
  let segments = 0;
  let dropped = 0;
  await fc.assert(
    fc.asyncProperty(appends, recentBytes, async (all, bytes) => {
      const options = await created(context, bytes);
      let model: Model = { entries: [], base: logStart, applied: 0 };
      let log = await open(options);
      for (const [round, step] of all.entries()) {
        model = await appended(log, model, { ...step, round });
        check(log, model);
        const crashes = step.reopens && round % 2 === 0;
        model = await compacted(log, model, { ...step, crashes });
        if (step.reopens) {
          await log.close();
          log = await open(options, model.base);
          assert.deepEqual(log.hardState, hardState(round + 1, 0, 5n));
        }
        check(log, model);
      }
      await log.close();
      segments = Math.max(segments, readdirSync(options.directory).length);
      dropped = Math.max(dropped, model.base.segment - 1);
    }),
    { numRuns: 100 },
  );
  assert.ok(segments > 3, "some runs fill several segments");
  assert.ok(dropped > 1, "some runs drop several segments");
});

async function appended(
  log: SegmentedLog,
  model: Model,
  { at, count, dataBytes, round }: Append & { readonly round: number },
): Promise<Model> {
  const kept = Math.max(model.applied, Math.floor(model.entries.length * at));
  const entries = Array.from({ length: count }, (_, position) =>
    entry(kept + position + 1, round + 1, Buffer.alloc(dataBytes, round)),
  );
  await log.append(batch({ hardState: hardState(round + 1, 0, 5n), entries }), round);
  return count === 0 ? model : { ...model, entries: [...model.entries.slice(0, kept), ...entries] };
}

/** A crash comes before anything is deleted. */
async function compacted(
  log: SegmentedLog,
  model: Model,
  { applied, crashes }: Append & { readonly crashes: boolean },
): Promise<Model> {
  if (applied === undefined) return model;
  const limit = Math.max(model.applied, Math.floor(model.entries.length * applied));
  const base = log.nextBase(logIndex(limit));
  if (base === undefined) return { ...model, applied: limit };
  assert.ok(base.last.index <= limit && base.segment > model.base.segment);
  if (crashes) return { ...model, base, applied: limit };
  const before = log.bytes;
  await log.dropBefore(base);
  assert.ok(log.bytes < before);
  return { ...model, base, applied: limit };
}

function check(log: SegmentedLog, { entries, base }: Model): void {
  assert.equal(log.lastIndex, entries.length);
  // Before a restart has seen a base that was made durable by then, more is there.
  const before = log.firstIndex - 1;
  assert.ok(before <= base.last.index);
  for (let index = 0; index <= entries.length + 1; index += 1) {
    const expected = index < before ? undefined : index === 0 ? 0 : entries[index - 1]?.term;
    assert.equal(log.termAt(logIndex(index)), expected);
  }
  for (const from of [log.firstIndex, Math.ceil((before + entries.length) / 2)]) {
    if (from <= before || from > entries.length) continue;
    for (const maxBytes of [100, 30_000]) {
      const read = log.entries(logIndex(from), logIndex(entries.length + 1), maxBytes);
      assert.deepEqual(read.map(plain), fitting(entries.slice(from - 1), maxBytes).map(plain));
    }
  }
}

/** At least one, then as many as fit. */
function fitting(entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  const total = (count: number): number =>
    entries.slice(0, count).reduce((bytes, { data }) => bytes + data.length, 0);
  return entries.filter((_, position) => position === 0 || total(position + 1) <= maxBytes);
}

const plain = ({ index, term, kind, data }: Entry): string =>
  `${String(index)} ${String(term)} ${kind} ${Buffer.from(data).toString("hex")}`;

test("an entry that was changed on the disk after the start is never given out", async (context) => {
  const options = await created(context, 0);
  const log = await open(options);
  await log.append(batch({ hardState: hardState(1), entries: [entry(1, 1), entry(2, 1)] }), 1);
  await overwrite(join(options.directory, "0000000001.log"), 600);
  assert.throws(() => log.entries(logIndex(1), logIndex(3), 100), /is not what was written/);
  await log.close();
});

async function overwrite(path: string, position: number): Promise<void> {
  const file = await openFile(path, "r+");
  await file.write(Buffer.from("x"), 0, 1, position);
  await file.close();
}
