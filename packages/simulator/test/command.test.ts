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
    // Half a minute passes whenever somebody looks.
    nowMs: () => (ms += 30_000),
    cpuMs: () => (ms += 500),
    freshSeed: () => 42,
  });
  return { status, lines };
}

describe("the command line", () => {
  it("runs one seed and says what came of it", async () => {
    const { status, lines } = await run("sim", "42", "--seconds", "3");
    assert.equal(status, 0);
    assert.match(lines.join("\n"), /^seed 42: trace [0-9a-f]{16}, \d+ steps/);
  });

  it("shows every line of a run if asked to, with the faults that are kept", async () => {
    const { lines } = await run("sim", "42", "--seconds", "3", "--trace", "--keep", "none");
    assert.ok(lines.length > 100);
    assert.ok(lines.some((line) => /^ +\d+ +\d+\.\d{6} m\d +stored/.test(line)));
    assert.ok(!lines.some((line) => line.includes(" fault ")));
  });

  it("soaks until the time is up, and adds up what was reached", async () => {
    const { status, lines } = await run("soak", "1");
    assert.equal(status, 0);
    const text = lines.join("\n");
    for (const part of [/^seeds +1$/m, /violations +none/, /probes never reached/, /faults +kill \d+/])
      assert.match(text, part);
  });

  it("measures its own speed", async () => {
    const { status, lines } = await run("speed", "2");
    assert.equal(status, 0);
    assert.match(lines.join("\n"), /\d+ operations and \d+ events a simulated second/);
    assert.match(lines.join("\n"), /(\d) at best of \1, \1, \1, \1, \1$/);
  });

  it("explains itself to who asks for something else", async () => {
    for (const args of [[], ["sim"], ["sim", "x"], ["dance", "1"]]) {
      const { status, lines } = await run(...args);
      assert.equal(status, 2);
      assert.match(lines.join("\n"), /usage/);
    }
  });
});
