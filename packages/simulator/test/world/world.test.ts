import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SimClock, MachineClock } from "../../src/process/clock.ts";
import { Life } from "../../src/world/life.ts";
import { Prng } from "../../src/world/random.ts";
import { Trace } from "../../src/world/trace.ts";
import { mostEventsAtOnce, World } from "../../src/world/world.ts";

describe("the world", () => {
  it("lets events happen by their time, and in the order of asking within the same moment", async () => {
    const world = new World(new Trace());
    const happened: string[] = [];
    for (const [name, delayUs] of [
      ["c", 20],
      ["a", 10],
      ["b", 10],
      ["d", 30],
    ] as const)
      world.after(delayUs, "client", () => happened.push(`${name} at ${String(world.nowUs)}`));
    await world.run(25);
    assert.deepEqual(happened, ["a at 10", "b at 10", "c at 20"]);
    assert.equal(world.nowUs, 25);
  });

  it("runs every promise to its end before the next event", async () => {
    const world = new World(new Trace());
    let isDone = false;
    const long = async (): Promise<void> => {
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      isDone = true;
    };
    let wasDone = false;
    world.after(1, "client", () => void long());
    world.after(1, "client", () => (wasDone = isDone));
    await world.run(2);
    assert.equal(wasDone, true);
  });

  it("ends with the first failure", async () => {
    const world = new World(new Trace());
    let later = false;
    world.after(1, "client", () => {
      throw new Error("first");
    });
    world.after(2, "client", () => (later = true));
    await assert.rejects(world.run(10), /first/);
    assert.equal(later, false);
  });
});

describe("time that stands still", () => {
  /** Each event makes the next one, so many times. */
  async function busy(times: number, delayUs: number): Promise<void> {
    const world = new World(new Trace());
    const again = (left: number): void => {
      world.after(delayUs, "timer", () => {
        if (left > 0) again(left - 1);
      });
    };
    again(times);
    await world.run(times * delayUs + 1000);
  }

  it("is seen, and many events at different times are not", async () => {
    await busy(mostEventsAtOnce - 100, 0);
    await busy(2 * mostEventsAtOnce, 1);
    await assert.rejects(busy(mostEventsAtOnce + 100, 0), /time stands still: more than 5000 events at 0 ms/);
  });
});

describe("a life", () => {
  it("lets what comes first after a pause call off what comes later", async () => {
    const world = new World(new Trace());
    const life = new Life(world, 0);
    const clock = new SimClock(life, new MachineClock(1), 50);
    const happened: string[] = [];
    clock.after(10, () => {
      happened.push("first");
      cancel();
    });
    const cancel = clock.after(20, () => happened.push("second"));
    life.pause();
    await world.run(50_000);
    life.resume();
    await world.run(60_000);
    assert.deepEqual(happened, ["first"]);
  });

  it("does nothing once it is over, and all that it missed after a pause", async () => {
    const world = new World(new Trace());
    const [paused, over] = [new Life(world, 0), new Life(world, 1)];
    const happened: string[] = [];
    for (const text of ["one", "two"]) {
      paused.after(10, "timer", () => happened.push(`${text} at ${String(world.nowUs)}`));
      over.after(10, "timer", () => happened.push(text));
    }
    paused.pause();
    over.end();
    await world.run(50);
    assert.deepEqual(happened, []);
    paused.resume();
    await world.run(60);
    assert.deepEqual(happened, ["one at 50", "two at 50"]);
  });
});

describe("a machine's clock", () => {
  it("runs at its own rate, jumps ahead, and never goes back", async () => {
    const world = new World(new Trace());
    const machine = new MachineClock(1.1);
    const clock = new SimClock(new Life(world, 0), machine, 50);
    let firedUs = 0;
    clock.after(11, () => (firedUs = world.nowUs));
    await world.run(100_000);
    assert.equal(firedUs, 10_000);
    assert.ok(Math.abs(clock.nowMs() - 110) < 0.001);
    machine.jump(5_000_000);
    assert.ok(Math.abs(clock.nowMs() - 5110) < 0.001);
  });

  it("stops a timer that repeats, also from within", async () => {
    const world = new World(new Trace());
    const clock = new SimClock(new Life(world, 0), new MachineClock(1), 50);
    let ticks = 0;
    const cancel = clock.every(10, () => {
      ticks += 1;
      if (ticks === 3) cancel();
    });
    await world.run(1_000_000);
    assert.equal(ticks, 3);
  });
});

describe("randomness", () => {
  it("is the same for the same seed and stream, and another for any other", () => {
    const numbers = (seed: number, stream: string): readonly number[] => {
      const random = new Prng(seed, stream);
      return [random.next(), random.next(), random.next()];
    };
    assert.deepEqual(numbers(1, "a"), numbers(1, "a"));
    assert.notDeepEqual(numbers(1, "a"), numbers(2, "a"));
    assert.notDeepEqual(numbers(1, "a"), numbers(1, "b"));
    // As on every other machine: what was found there is found here.
    assert.deepEqual(numbers(42, "faults"), numbers(42, "faults"));
  });

  it("spreads over its whole range", () => {
    const random = new Prng(3, "spread");
    const counts = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 10_000; draw += 1) {
      const at = random.below(10);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    for (const count of counts) assert.ok(count > 850 && count < 1150, String(count));
  });
});
