/** What is planted is found, and found again by the command that was told. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const planted = fileURLToPath(new URL("planted/targets.ts", import.meta.url));

async function run(...argv: readonly string[]): Promise<{ readonly code: unknown; readonly said: string }> {
  const child = spawn(process.execPath, [main, `--files=${planted}`, "--silence=1", "--threads=1", ...argv], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  return { code, said };
}

/** The flags of the command that a failure names. */
function replayOf(said: string): readonly string[] {
  const [, target = "", seed = "", at = ""] =
    /replay: make fuzz TARGET='(.*)' SEED=(\S*) AT=(\S*)/.exec(said) ?? assert.fail(said);
  return [`--target=${target}`, `--seed=${seed}`, `--at=${at}`];
}

const failures: readonly (readonly [target: string, what: RegExp])[] = [
  ["does not like 200", /RangeError: 200 or more[\s\S]*input: 200\n/],
  ["hangs at 200", /it has been at one input for 1 s/],
  ["waits for ever at 200", /it has been at one input for 1 s/],
  ["believes a length", /bytes of memory, where \d+ would do[\s\S]*input: \d+\n/],
  ["throws where nobody catches it", /Error: nobody's/],
];

for (const [target, what] of failures) {
  test(`a target that fails is told of, with how to see it again: ${target}`, async () => {
    const { code, said } = await run("--minutes=0.05", `--target=${target}`);
    assert.equal(code, 1);
    assert.match(said, what);
    assert.match(said, /1 failed/);
    const again = await run(...replayOf(said));
    assert.equal(again.code, 1);
    assert.match(again.said, what);
  });
}

test("a target that is well is run until the time is up, and its runs are counted", async () => {
  const { code, said } = await run("--minutes=0.03", "--target=all is well");
  assert.equal(code, 0);
  assert.match(said, /all is well +[1-9][\d,]* runs +[1-9][\d,]* a second\n/);
});

test("a target that is not there is asked for in vain", async () => {
  const { code, said } = await run("--minutes=0.03", "--target=nothing");
  assert.equal(code, 1);
  assert.match(said, /there is no target nothing; there are: all is well, /);
});
