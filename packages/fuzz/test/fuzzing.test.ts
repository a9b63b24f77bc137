/** What is planted is found, and found again by the command that was told. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const planted = fileURLToPath(new URL("planted/targets.ts", import.meta.url));

interface Ended {
  readonly code: unknown;
  readonly said: string;
  readonly complained: string;
}

async function run(...argv: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, `--files=${planted}`, "--silence=1", "--threads=1", ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [said, complained, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, said, complained };
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

test("however short the time, every target has its turn, and loading them takes none of it", async () => {
  const { said } = await run(
    "--minutes=0.01",
    "--target=all is well",
    `--files=${planted.replace(/targets/, "{slow,targets}")}`,
  );
  assert.match(said, /all is well +[1-9][\d,]* runs/);
});

test("the table is in line, however long the names are", async () => {
  const { said } = await run(
    "--minutes=0.01",
    "--target=a name that is far longer than those of most targets are",
  );
  assert.match(
    said,
    /^ {2}a name that is far longer than those of most targets are +[\d,]+ runs +[\d,]+ a second\n/m,
  );
});

const mistakes: readonly (readonly [complaint: RegExp, ...argv: readonly string[]])[] = [
  [/^fuzz: MINUTES=x is not a number from 0\.01 to 10080\n$/, "--minutes=x"],
  [/^fuzz: MINUTES=0 is not a number from/, "--minutes=0"],
  [/^fuzz: MINUTES= is not a number from/, "--minutes="],
  [/^fuzz: SEED=foo is not a whole number from/, "--target=all is well", "--seed=foo"],
  [/^fuzz: SEED=3 needs the TARGET that it is for\n$/, "--seed=3"],
  [/^fuzz: AT=foo SEED=3 needs the SEED and the TARGET that it is for\n$/, "--at=foo SEED=3"],
  [/^fuzz: AT=foo is not numbers with colons/, "--target=all is well", "--seed=3", "--at=foo"],
  [/^fuzz: AT=0:7 leads nowhere from SEED=3/, "--target=all is well", "--seed=3", "--at=0:7"],
  [
    /^fuzz: there is no target TARGET='nothing'; there are:\n {2}all is well\n {2}a name that [^,\n]*\n {2}does not like 200\n/,
    "--target=nothing",
  ],
  [/^fuzz: there is no target TARGET='nothing'/, "--target=nothing", "--seed=3", "--at=0"],
  [/^fuzz: there is no target in any of the files\n$/, "--files=nowhere/*.ts"],
  [/^fuzz: Unknown option '--fast'/, "--fast"],
];

for (const [complaint, ...argv] of mistakes) {
  test(`what cannot be meant is said once, and nothing is run: ${argv.join(" ")}`, async () => {
    const { code, said, complained } = await run(...argv);
    assert.match(complained, complaint);
    assert.equal(complained.split("fuzz:").length, 2, complained);
    assert.equal(said, "");
    assert.equal(code, 2);
  });
}
