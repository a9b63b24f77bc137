import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Hardware } from "../../src/disk/hardware.ts";
import { scannerOf } from "../../src/disk/state-scanner.ts";
import { Life } from "../../src/world/life.ts";
import { Prng } from "../../src/world/random.ts";
import { Trace } from "../../src/world/trace.ts";
import { World } from "../../src/world/world.ts";

/** A disk that takes a tenth of a millisecond for everything, with the record "a" on it. */
function stage() {
  const world = new World(new Trace());
  const hardware = new Hardware({ minUs: 100, maxUs: 100 }, new Prng(1, "disk"), new Prng(1, "reads"));
  const life = new Life(world, 0);
  hardware.attach(life);
  const generation = { state: new Map([["a", Buffer.from("1")]]) };
  const scanner = scannerOf({
    records: () => generation.state,
    isClosed: () => false,
    read: () => hardware.read(),
  });
  const heard: string[] = [];
  const ask = (): void => {
    scanner.getMany([Buffer.from("a")]).then(
      ([found]) => heard.push(String(found)),
      (error: unknown) => heard.push(String(error)),
    );
  };
  return { world, hardware, life, generation, heard, ask };
}

describe("reading from a simulated disk", () => {
  it("takes simulated time", async () => {
    const { world, heard, ask } = stage();
    ask();
    await world.run(99);
    assert.deepEqual(heard, []);
    await world.run(100);
    assert.deepEqual(heard, ["1"]);
  });

  it("takes longer on a disk that is slow, or hangs", async () => {
    const { world, hardware, heard, ask } = stage();
    hardware.slow(3);
    hardware.hang(500);
    ask();
    await world.run(499);
    assert.deepEqual(heard, []);
    await world.run(500);
    assert.deepEqual(heard, ["1"]);
  });

  it("gives nothing to a process that has ended", async () => {
    const { world, hardware, life, heard, ask } = stage();
    ask();
    life.end();
    hardware.crash();
    await world.run(1000);
    assert.deepEqual(heard, []);
  });

  it("fails if another state has taken over meanwhile", async () => {
    const { world, generation, heard, ask } = stage();
    ask();
    generation.state = new Map();
    await world.run(1000);
    assert.deepEqual(heard, ["Error: the database was closed"]);
  });
});
