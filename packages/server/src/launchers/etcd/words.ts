/** Words of dkv for everything that etcd's flags say, but for TLS. */
import type { LogFormat } from "../../config/config.ts";
import type { FlagName } from "../../config/flags.ts";
import { type Setters, usage } from "../../config/value-reader.ts";
import type { LauncherDeps } from "../launcher.ts";
import { durationMs } from "./durations.ts";
import type { EtcdFlagName } from "./flags.ts";
import { type GivenFlags, isOn, sourceOf, textOf } from "./values.ts";

/** What etcd takes for 0 and for nothing, 2 GiB. */
const defaultQuotaBytes = String(2 * 2 ** 30);

/** Flags of etcd that dkv has under the same name or another one, with texts that mean the same. */
const same: Readonly<Partial<Record<EtcdFlagName, FlagName>>> = {
  name: "name",
  "initial-cluster-state": "initial-cluster-state",
  "initial-cluster-token": "initial-cluster-token",
  "heartbeat-interval": "heartbeat-interval",
  "election-timeout": "election-timeout",
  "max-txn-ops": "max-txn-ops",
  "max-request-bytes": "max-request-bytes",
  "auto-compaction-mode": "auto-compaction-mode",
  "auth-token": "auth-token",
  "auth-token-ttl": "auth-token-ttl",
  "bcrypt-cost": "bcrypt-cost",
};

const samePairs = Object.entries(same) as readonly (readonly [EtcdFlagName, FlagName])[];

/** Given under one of two names, of which the first counts. */
const durations = [
  ["corrupt-check-interval", ["corrupt-check-time", "experimental-corrupt-check-time"]],
  [
    "watch-progress-notify-interval",
    ["watch-progress-notify-interval", "experimental-watch-progress-notify-interval"],
  ],
] as const satisfies readonly (readonly [FlagName, readonly EtcdFlagName[]])[];

/** Those of them that are given, with the name under which they are. */
function givenDurations(given: GivenFlags): readonly (readonly [FlagName, EtcdFlagName])[] {
  return durations.flatMap(([own, names]) => {
    const name = names.find((one) => given.has(one));
    return name === undefined ? [] : [[own, name] as const];
  });
}

/** What people change who want other values: a flag of etcd, a variable, or a place in a file. */
export function settersOf(given: GivenFlags): Setters {
  const setters: Partial<Record<FlagName, string>> = {
    "listen-peer-address": sourceOf(given, "listen-peer-urls"),
    "listen-client-address": sourceOf(given, "listen-client-urls"),
    "listen-metrics-address": sourceOf(given, "listen-metrics-urls"),
    "advertise-peer-address": sourceOf(given, "initial-advertise-peer-urls"),
    "quota-bytes": sourceOf(given, "quota-backend-bytes"),
    "log-output": sourceOf(given, "log-outputs"),
    "cipher-suites": sourceOf(given, "cipher-suites"),
    "data-dir": sourceOf(given, "data-dir"),
    "auto-compaction-retention": sourceOf(given, "auto-compaction-retention"),
    "snapshot-count": sourceOf(given, "snapshot-count"),
  };
  for (const [name, own] of samePairs) setters[own] = sourceOf(given, name);
  for (const [own, name] of givenDurations(given)) setters[own] = sourceOf(given, name);
  return setters;
}

export function plainWords(given: GivenFlags, say: LauncherDeps["say"]): readonly string[] {
  const catchup = textOf(
    given,
    given.has("snapshot-catchup-entries")
      ? "snapshot-catchup-entries"
      : "experimental-snapshot-catchup-entries",
  );
  return [
    ...samePairs.map(([name, own]) => `--${own}=${textOf(given, name)}`),
    ...givenDurations(given).map(([own, name]) => `--${own}=${String(msIn(given, name))}ms`),
    `--quota-bytes=${quotaIn(given)}`,
    `--auto-compaction-retention=${retentionIn(given)}`,
    `--snapshot-catchup-entries=${catchup}`,
    ...snapshotCount(given),
    ...logWords(given, say),
  ];
}

/** As etcd: 0 is its own default. */
function snapshotCount(given: GivenFlags): readonly string[] {
  const count = textOf(given, "snapshot-count");
  return count === "" || count === "0" ? [] : [`--snapshot-count=${count}`];
}

function quotaIn(given: GivenFlags): string {
  const text = textOf(given, "quota-backend-bytes");
  if (/^-\d+$/.test(text)) return "0";
  return /^0+$/.test(text) ? defaultQuotaBytes : text;
}

/** Hours and revisions are numbers to dkv too; what has units may have several. */
function retentionIn(given: GivenFlags): string {
  const text = textOf(given, "auto-compaction-retention");
  const isTime = textOf(given, "auto-compaction-mode") !== "revision" && !/^\d+$/.test(text);
  return isTime ? `${String(msIn(given, "auto-compaction-retention"))}ms` : text;
}

function msIn(given: GivenFlags, name: EtcdFlagName): number {
  const text = textOf(given, name);
  const ms = durationMs(text);
  if (ms === undefined)
    throw usage(`${sourceOf(given, name)} is "${text}"; write a duration such as 30s, 5m or 1h30m`);
  return ms;
}

const formats: ReadonlyMap<string, LogFormat> = new Map([
  ["json", "zap"],
  ["console", "text"],
]);

const levels: Readonly<Record<string, string>> = { dpanic: "error", panic: "error", fatal: "error" };

function logWords(given: GivenFlags, say: LauncherDeps["say"]): readonly string[] {
  const level = isOn(given, "debug") ? "debug" : textOf(given, "log-level").toLowerCase();
  const logger = textOf(given, "logger");
  if (logger !== "zap") say(`${sourceOf(given, "logger")} is "${logger}": lines are as those of zap`);
  const format = formats.get(textOf(given, "log-format"));
  if (format === undefined)
    throw usage(
      `${sourceOf(given, "log-format")} is "${textOf(given, "log-format")}"; write json or console`,
    );
  const outputs = textOf(given, "log-outputs")
    .split(",")
    .map((output) => output.trim());
  const own = outputs.map((output) =>
    output === "default" || output === "systemd/journal" ? "stderr" : output,
  );
  return [
    `--log-level=${levels[level] ?? level}`,
    `--log-format=${format}`,
    `--log-output=${[...new Set(own)].join(",")}`,
  ];
}
