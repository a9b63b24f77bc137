import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { command } from "./load.ts";

async function run(
  ...args: string[]
): Promise<{ readonly status: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  let ms = 0;
  const status = await command(args, {
    print: (line) => lines.push(line),
    complain: (line) => lines.push(line),
    // Ten seconds pass whenever somebody looks.
    nowMs: () => (ms += 10_000),
    cpuMs: () => (ms += 500),
    freshSeed: () => 42,
    isStopped: () => Promise.resolve(false),
  });
  return { status, lines };
}

describe("the command line", () => {
  it("runs one seed and says what came of it", async () => {
    const { status, lines } = await run("sim", "--seed=42", "--seconds=3");
    assert.equal(status, 0);
    assert.match(lines.join("\n"), /^seed 42: trace [0-9a-f]{16}, \d+ steps/);
  });

  it("shows every line of a run if asked to, with the faults that are kept", async () => {
    const { lines } = await run("sim", "--seed=42", "--seconds=3", "--trace", "--keep=none");
    assert.ok(lines.length > 100);
    assert.ok(lines.some((line) => /^ +\d+ +\d+\.\d{6} m\d +stored/.test(line)));
    assert.ok(!lines.some((line) => line.includes(" fault ")));
  });

  it("soaks until the time is up, and adds up what was reached", async () => {
    const { status, lines } = await run("soak", "--minutes=1");
    assert.equal(status, 0);
    const text = lines.join("\n");
    assert.match(lines[0] ?? "", /^seeds from 42 on/);
    assert.match(lines[1] ?? "", /^ +\d+ s {2}1 seeds, 0 violations$/);
    for (const part of [/^seeds +2$/m, /violations +none/, /probes never reached/, /faults +kill \d+/])
      assert.match(text, part);
  });

  it("measures its own speed", async () => {
    const { status, lines } = await run("speed", "--seconds=2");
    assert.equal(status, 0);
    assert.match(lines.join("\n"), /\d+ operations and \d+ events a simulated second/);
    assert.match(lines.join("\n"), /(\d) at best of \1, \1, \1, \1, \1$/);
  });

  it("says in one line what was wrong, in the words of the Makefile", async () => {
    const mistakes: readonly (readonly [RegExp, ...string[]])[] = [
      [/^nothing is not sim, soak, check or speed$/],
      [/^dance is not sim/, "dance"],
      [/^1 is one word too many$/, "sim", "1"],
      [/^SEED is missing: write SEED=N, a whole number from 0 to 4294967295$/, "sim", "--seed="],
      [/^SEED=abc is not a whole number/, "sim", "--seed=abc"],
      [/^SEED=-1 is not a whole number/, "sim", "--seed=-1"],
      [/^SECONDS=x is not a whole number from 1/, "sim", "--seed=7", "--seconds=x"],
      [/^SECONDS=0 is not/, "sim", "--seed=7", "--seconds=0"],
      [/^KEEP=foo is not a list of faults/, "sim", "--seed=7", "--keep=foo"],
      [
        /^KEEP=9999: the run of seed 7 has no fault of that number, its faults are 1 to/,
        "sim",
        "--seed=7",
        "--keep=9999",
      ],
      [/^MINUTES=0 is not a number from 0.01/, "soak", "--minutes=0"],
      [/^MINUTES is missing/, "soak", "--minutes="],
    ];
    for (const [text, ...args] of mistakes) {
      const { status, lines } = await run(...args);
      assert.equal(status, 2);
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? "", text);
    }
  });
});
