import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/flags.ts";
import { readStoreOptions, storeHelpText, type StoreOptions } from "../../src/store/options.ts";

function read(args: readonly string[], environment: Record<string, string> = {}): StoreOptions {
  const options = readStoreOptions(args, environment);
  assert.ok(options !== "help");
  return options;
}

test("without flags everything is measured with the sizes that are owed", () => {
  const { only, keys, valueBytes, watches, watchRate, watchers, streams, rangeKeys, revisions } = read([]);
  const { leases, leaseTtlSeconds, leaseStreams, leaseTarget } = read([]);
  assert.deepEqual([leases, leaseTtlSeconds, leaseStreams, leaseTarget], [100_000, 60, 10, "all"]);
  assert.deepEqual(
    { only, keys, valueBytes, watches, watchRate, watchers, streams, rangeKeys, revisions },
    {
      only: ["watch", "watchers", "leases", "keys", "range", "compaction"],
      keys: 1_000_000,
      valueBytes: 256,
      watches: 1000,
      watchRate: 200,
      watchers: 100_000,
      streams: 100,
      rangeKeys: 10_000,
      revisions: 1_000_000,
    },
  );
});

test("a flag wins over the environment, and that over the default", () => {
  const environment = { DKV_BENCH_STORE_KEYS: "5", DKV_BENCH_STORE_RANGES: "6", DKV_BENCH_RANGES: "7" };
  const { keys, ranges } = read(["--keys", "50"], environment);
  assert.deepEqual([keys, ranges], [50, 6]);
});

test("a wrong value is refused with the flag's name and what it takes", () => {
  const table: readonly (readonly [readonly string[], RegExp])[] = [
    [["--only", "watch,get"], /^--only takes watch, watchers, leases, keys, range, compaction, not "get"$/],
    [["--watchers", "0"], /^--watchers takes a whole number from 1/],
    [["--lease-ttl", "1.5"], /^--lease-ttl takes a whole number from 2 to 3600/],
    [["--lease-target", "follower"], /^--lease-target takes leader, all, not "follower"$/],
    [["--value-bytes", "7"], /^--value-bytes takes a whole number from 8 to 16000/],
    [["--seconds", "0"], /^--seconds takes a number from 0.5/],
    [["--watch", "1"], /--watch/],
  ];
  for (const [args, message] of table) {
    assert.throws(
      () => readStoreOptions(args, {}),
      (error) => error instanceof UsageError && message.test(error.message),
      args.join(" "),
    );
  }
});

test("the help names every flag and shows examples", () => {
  assert.equal(readStoreOptions(["--help"], {}), "help");
  const help = storeHelpText();
  for (const flag of [
    "--only",
    "--watches",
    "--watchers",
    "--leases",
    "--keys",
    "--range-keys",
    "--revisions",
    "--json",
  ])
    assert.match(help, new RegExp(`^  ${flag} `, "m"));
  assert.match(help, /^ +make bench-store BENCH=/m);
});
