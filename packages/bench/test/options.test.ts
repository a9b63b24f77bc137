import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../src/flags.ts";
import { helpText, type Options, readOptions, rowsOf } from "../src/options.ts";

function read(args: readonly string[], environment: Record<string, string> = {}): Options {
  const options = readOptions(args, environment);
  assert.ok(options !== "help");
  return options;
}

test("without flags the whole table is measured, at the leader and in cleartext", () => {
  const options = read([]);
  const { only, target, security, valueBytes, connections } = options;
  const plain = (["set", "get", "serializable-get"] as const).flatMap((work) =>
    [1, 64, 256, 1000].map((clients) => ({ work, clients })),
  );
  assert.deepEqual(rowsOf(options), [
    ...plain,
    { work: "txn", clients: 64 },
    { work: "mixed", clients: 256 },
    { work: "pipe", clients: 256 },
    { work: "text", clients: 1024 },
    { work: "binary", clients: 1024 },
  ]);
  assert.deepEqual(
    [only, target, security, valueBytes, connections],
    [undefined, "leader", "cleartext", 256, undefined],
  );
});

test("works and numbers of clients that are asked for are measured, each with each", () => {
  assert.deepEqual(rowsOf(read(["--work", "pipe,txn", "--clients", "8,16"])), [
    { work: "pipe", clients: 8 },
    { work: "pipe", clients: 16 },
    { work: "txn", clients: 8 },
    { work: "txn", clients: 16 },
  ]);
  assert.deepEqual(rowsOf(read(["--work", "pipe"])), [{ work: "pipe", clients: 256 }]);
  assert.deepEqual(read(["--only", "ceiling"]).works, ["set", "get", "serializable-get"]);
});

test("clients that speak etcd's API do what that has", () => {
  const { api, works } = read(["--api", "etcd"]);
  assert.deepEqual([api, works], ["etcd", ["set", "get", "serializable-get", "txn", "mixed"]]);
  assert.throws(() => read(["--api", "etcd", "--work", "pipe"]), /^UsageError: --work takes set, get/);
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
    [
      ["--work", "set,watch"],
      /^--work takes set, get, serializable-get, txn, mixed, pipe, text, binary, not "watch"$/,
    ],
    [["--only", "ceiling", "--work", "pipe"], /^--work takes set, get, serializable-get, not "pipe"$/],
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
