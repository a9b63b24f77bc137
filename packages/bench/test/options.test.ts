import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../src/flags.ts";
import { helpText, type Options, readOptions } from "../src/options.ts";

function read(args: readonly string[], environment: Record<string, string> = {}): Options {
  const options = readOptions(args, environment);
  assert.ok(options !== "help");
  return options;
}

test("without flags the whole table is measured, at the leader and in cleartext", () => {
  const { clients, works, only, target, security, valueBytes, connections } = read([]);
  assert.deepEqual(clients, [1, 64, 256, 1000]);
  assert.deepEqual(works, ["set", "get", "serializable-get"]);
  assert.deepEqual(
    [only, target, security, valueBytes, connections],
    [undefined, "leader", "cleartext", 256, undefined],
  );
});

test("a flag wins over the environment, and that over the default", () => {
  const environment = { DKV_BENCH_SECONDS: "3", DKV_BENCH_VALUE_BYTES: "64", DKV_BENCH_TLS: "true" };
  const { seconds, valueBytes, security } = read(["--seconds", "1.5"], environment);
  assert.deepEqual([seconds, valueBytes, security], [1.5, 64, "tls"]);
});

test("a wrong value is refused with the flag's name and what it takes", () => {
  const table: readonly (readonly [readonly string[], RegExp])[] = [
    [["--seconds", "soon"], /^--seconds takes a number from 0.1/],
    [["--clients", "1,,2"], /^--clients takes a whole number from 1 to 100000, not ""$/],
    [["--clients", "0"], /^--clients/],
    [["--work", "set,watch"], /^--work takes set, get, serializable-get, not "watch"$/],
    [["--only", "redis"], /^--only takes dkv, etcd, ceiling/],
    [["--value-bytes", "20000"], /^--value-bytes .* to 16000/],
    [["--only", "ceiling", "--tls"], /cleartext/],
    [["--sceonds", "1"], /--sceonds/],
  ];
  for (const [args, message] of table) {
    assert.throws(
      () => readOptions(args, {}),
      (error) => error instanceof UsageError && message.test(error.message),
      args.join(" "),
    );
  }
});

test("the help names every flag", () => {
  assert.equal(readOptions(["-h"], {}), "help");
  for (const flag of [
    "--seconds",
    "--clients",
    "--work",
    "--only",
    "--tls",
    "--profile",
    "--json",
    "--help",
  ]) {
    assert.match(helpText(), new RegExp(`^  ${flag} `, "m"));
  }
});
