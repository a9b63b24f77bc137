import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/flags.ts";
import { readRecoveryOptions, recoveryHelpText, type RecoveryOptions } from "../../src/recovery/options.ts";

function read(args: readonly string[], environment: Record<string, string> = {}): RecoveryOptions {
  const options = readRecoveryOptions(args, environment);
  assert.ok(options !== "help");
  return options;
}

test("without flags everything is measured with a million keys, two thousand writes a second and fifty kills", () => {
  const { only, keys, rate, kills, valueBytes, dkvOnly } = read([]);
  assert.deepEqual(
    { only, keys, rate, kills, valueBytes, dkvOnly },
    {
      only: ["join", "restart", "failover"],
      keys: 1_000_000,
      rate: 2000,
      kills: 50,
      valueBytes: 256,
      dkvOnly: false,
    },
  );
});

test("a flag wins over the environment, and that over the default", () => {
  const environment = { DKV_BENCH_RECOVERY_KEYS: "5", DKV_BENCH_RECOVERY_KILLS: "6", DKV_BENCH_KILLS: "7" };
  const { keys, kills } = read(["--keys", "50"], environment);
  assert.deepEqual([keys, kills], [50, 6]);
});

test("a wrong value is refused with the flag's name and what it takes", () => {
  const table: readonly (readonly [readonly string[], RegExp])[] = [
    [["--only", "join,rejoin"], /^--only takes join, restart, failover, not "rejoin"$/],
    [["--rate", "0"], /^--rate takes a number from 1/],
    [["--kills", "1.5"], /^--kills takes a whole number/],
    [["--value-bytes", "0"], /^--value-bytes .* from 1 to 16000/],
    [["--kill", "1"], /--kill/],
  ];
  for (const [args, message] of table) {
    assert.throws(
      () => readRecoveryOptions(args, {}),
      (error) => error instanceof UsageError && message.test(error.message),
      args.join(" "),
    );
  }
});

test("the help names every flag and shows examples", () => {
  assert.equal(readRecoveryOptions(["--help"], {}), "help");
  const help = recoveryHelpText();
  for (const flag of ["--only", "--keys", "--rate", "--kills", "--seconds", "--json", "--help"]) {
    assert.match(help, new RegExp(`^  ${flag} `, "m"));
  }
  assert.match(help, /^ +make bench-recovery BENCH=/m);
});
