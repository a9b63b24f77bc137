/** What whoever starts a member writes, in flags, variables and a file. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fuzz, readOrRefused } from "@dkv/fuzz";
import fc from "fast-check";
import { checkInitialCluster, readConfig } from "../../src/config/config.ts";
import { flag, flagNames, type FlagName } from "../../src/config/flags.ts";
import { gatherValues, type Given } from "../../src/config/values.ts";
import { formatAddress, parseHostPort } from "../../src/platform/address.ts";
import { StartupError } from "../../src/platform/startup-error.ts";

const plausible = fc.constantFrom(
  "a",
  "a=localhost:2380",
  "a=localhost:2380,b=[::1]:2381",
  "localhost:2380",
  ":0",
  "[::1]:1",
  "100ms",
  "1.5s",
  "1h",
  "1e3",
  "constructor",
  "0",
  "-1",
  "99999999999999999999",
  "512KiB",
  "true",
  "new",
  "x".repeat(400),
);
const text = fc.oneof(
  plausible,
  fc.string({ unit: "binary", maxLength: 30 }),
  fc
    .tuple(plausible, fc.constantFrom(",", "=", ":", " ", "[", "\n", "\0"), plausible)
    .map((parts) => parts.join("")),
);
const name = fc.constantFrom(...flagNames);
const given = fc.array(fc.tuple(name, text), { maxLength: 5 });

/** What is enough, so that not every input fails for the same reason. */
const enough: readonly (readonly [FlagName, string])[] = [
  ["name", "a"],
  ["initial-cluster", "a=localhost:2380"],
  ["listen-peer-address", "localhost:2380"],
];

/** One clear line for whoever wrote it. */
function isOneLine(error: StartupError): void {
  assert.doesNotMatch(error.message, /^\s*$/);
}

fuzz("configurations of members", {
  input: given,
  check(pairs) {
    const values = new Map<FlagName, Given>();
    for (const each of flagNames) {
      const fallback = flag(each).default;
      if (fallback !== undefined) values.set(each, { text: fallback, source: `--${each}` });
    }
    for (const [each, one] of [...enough, ...pairs]) values.set(each, { text: one, source: `--${each}` });
    const config = readOrRefused(() => readConfig(values), StartupError);
    if (config === undefined) return;
    readOrRefused(() => {
      checkInitialCluster(config);
    }, StartupError);
    for (const address of [...config.listenPeerAddresses, ...config.clientPorts.map((port) => port.address)])
      assert.deepEqual(parseHostPort(formatAddress(address), "again"), address);
    for (const ms of [config.heartbeatIntervalMs, config.electionTimeoutMs])
      assert.ok(ms >= 1 && ms <= 3_600_000);
    assert.ok(Number.isSafeInteger(config.diskFreeReserveBytes) && config.diskFreeReserveBytes >= 0);
    assert.ok(Number.isSafeInteger(config.quotaBytes) && config.quotaBytes >= 0);
    const { autoCompaction } = config;
    if (autoCompaction?.mode === "periodic") assert.ok(autoCompaction.retentionMs >= 1000);
    else if (autoCompaction !== undefined) assert.ok(autoCompaction.revisions >= 1);
    assert.ok(Number.isSafeInteger(config.maxRequestBytes) && config.maxRequestBytes >= 1);
  },
});

const directory = mkdtempSync(join(tmpdir(), "dkv-fuzz-"));
const path = join(directory, "config.json");
process.once("exit", () => {
  rmSync(directory, { recursive: true, force: true });
});

fuzz("command lines and config files", {
  input: fc.record({
    argv: fc.array(
      fc.oneof(
        fc.tuple(name, text).map(([each, one]) => `--${each}=${one}`),
        text,
      ),
      {
        maxLength: 4,
      },
    ),
    file: fc.oneof(
      fc.option(fc.dictionary(fc.oneof(name, fc.string()), fc.anything({ maxDepth: 1 })), { nil: undefined }),
      fc.string(),
    ),
  }),
  runs: 60,
  async check({ argv, file }) {
    // A file is text by then; that it is JSON is not said.
    writeFileSync(path, typeof file === "string" ? file : (textOf(file) ?? ""));
    // A line that ends in help or the version is one of those that yargs writes itself.
    const flags = file === undefined ? argv : [...argv, `--config=${path}`];
    await gatherValues(flags, {}, "1.2.3").catch((error: unknown) => {
      assert.ok(error instanceof StartupError, String(error));
      isOneLine(error);
    });
  },
});

function textOf(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? String(part) : part));
}
