import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  batch,
  configuration,
  entry,
  hardState,
  identity,
  logOf,
} from "../../../server/test/storage/fixtures.ts";
import { Hardware } from "../../src/disk/hardware.ts";
import { emptyPlatter, type Platter } from "../../src/disk/platter.ts";
import { Life } from "../../src/world/life.ts";
import { Prng } from "../../src/world/random.ts";
import { Trace } from "../../src/world/trace.ts";
import { World } from "../../src/world/world.ts";
import { SimStorage } from "../load.ts";
import { idleObserver } from "./fixtures.ts";

interface Machine {
  readonly world: World;
  readonly platter: Platter;
  readonly hardware: Hardware;
  open(): InstanceType<typeof SimStorage>;
}

function machine(seed: number): Machine {
  const world = new World(new Trace());
  const platter = emptyPlatter(configuration(2));
  const hardware = new Hardware({ minUs: 100, maxUs: 100 }, new Prng(seed, "disk"), new Prng(seed, "reads"));
  const open = () => {
    hardware.attach(new Life(world, 0));
    return new SimStorage(
      { ...identity, incarnation: 7n },
      {
        platter,
        hardware,
        snapshotId: () => 1n,
        chunkBytes: 1000,
        observer: idleObserver,
      },
    );
  };
  return { world, platter, hardware, open };
}

describe("a simulated disk", () => {
  it("keeps what was synced over a crash, and of what was being written all, a part, or nothing", async () => {
    const kept = new Set<number>();
    const torn = new Set<boolean>();
    for (let seed = 1; seed <= 40; seed += 1) {
      const { world, platter, hardware, open } = machine(seed);
      const storage = open();
      const first = storage.append(batch({ hardState: hardState(1), entries: [entry(1, 1)] }));
      await world.run(1000);
      await first;
      void storage.append(batch({ entries: [entry(2, 1)] }));
      hardware.crash();
      const last = platter.current.records.at(-1);
      torn.add(last?.number === 2 && last.bytes.length % 16 !== 0);
      const { log } = open();
      kept.add(log.lastIndex);
      assert.ok(log.lastIndex >= 1, "what was synced is there");
    }
    assert.deepEqual(kept, new Set([1, 2]));
    assert.deepEqual(torn, new Set([false, true]));
  });

  it("drops a torn record and goes on behind the one before", async () => {
    const { world, platter, open } = machine(1);
    const storage = open();
    const both = storage.append(batch({ hardState: hardState(1), entries: [entry(1, 1)] }));
    await world.run(1000);
    await both;
    platter.current.records.push({ number: 2, bytes: Buffer.from([1, 2, 3]) });
    const again = open();
    assert.equal(again.log.lastIndex, 1);
    const more = again.append(batch({ entries: [entry(2, 1)] }));
    await world.run(2000);
    await more;
    assert.deepEqual(
      logOf(open()).map(({ index }) => index),
      [1, 2],
    );
  });

  it("does not open with a changed or a missing record", async () => {
    const { world, platter, open } = machine(1);
    const storage = open();
    for (const index of [1, 2, 3]) {
      const written = storage.append(batch({ hardState: hardState(1), entries: [entry(index, 1)] }));
      await world.run(1000 * index);
      await written;
    }
    const { records } = platter.current;
    const bytes = records[1]?.bytes ?? Buffer.alloc(0);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    assert.throws(open, /not what was written/);
    bytes[20] ^= 1;
    open();
    platter.current.marker = { appliedIndex: 3, durableRecord: 3 };
    records.length = 2;
    assert.throws(open, /ends before/);
  });
});
