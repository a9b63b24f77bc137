/** The command line of `make chaos`. */
import { parseArgs } from "node:util";
import { type FaultKind, faultKinds, faultTitles } from "./plan/faults.ts";

/** What clients speak. */
const apis = ["dkv", "etcd", "both"] as const;
export type Api = (typeof apis)[number];

export interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly members: number;
  readonly writers: number;
  readonly api: Api;
  readonly kinds: readonly FaultKind[];
  /** Path of libfaketime; undefined: where it usually is, if it is. */
  readonly fakeTime: string | undefined;
}

/** A command line that cannot be meant. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const usage = [
  "usage: make chaos MINUTES=n [SEED=n] [CHAOS='flags']",
  "",
  "  --minutes N       how long faults go on; fractions are fine (10)",
  "  --seed N          decides which faults come when (drawn)",
  "  --members N       3 to 7 (3)",
  "  --writers N       clients, each with one operation at a time (12)",
  "  --api A         what clients speak: dkv (dkv.v1), etcd (its v3 API), or both in turn;",
  "                  locks are dkv's own, whatever is asked for (dkv)",
  "  --only KIND,...   these faults alone:",
  ...faultKinds.map((kind) => `                      ${kind.padEnd(14)}${faultTitles[kind]}`),
  "  --libfaketime F   the library, if it is not where it usually is",
].join("\n");

/** @throws {UsageError} */
export function readOptions(args: readonly string[], freshSeed: () => number): Options | "help" {
  const values = parse(args);
  if (values.help === true) return "help";
  return {
    minutes: numberOf("minutes", values.minutes ?? "10", { least: 0.05, most: 24 * 60, isWhole: false }),
    seed:
      values.seed === undefined
        ? freshSeed()
        : numberOf("seed", values.seed, { least: 0, most: 2 ** 32 - 1, isWhole: true }),
    members: numberOf("members", values.members ?? "3", { least: 3, most: 7, isWhole: true }),
    writers: numberOf("writers", values.writers ?? "12", { least: 1, most: 200, isWhole: true }),
    api: apiOf(values.api ?? "dkv"),
    kinds: values.only === undefined ? faultKinds : values.only.split(",").map(kindOf),
    fakeTime: values.libfaketime,
  };
}

function parse(args: readonly string[]): ReturnType<typeof parseUnchecked>["values"] {
  try {
    return parseUnchecked(args).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseUnchecked(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string" },
      seed: { type: "string" },
      members: { type: "string" },
      writers: { type: "string" },
      api: { type: "string" },
      only: { type: "string" },
      libfaketime: { type: "string" },
      help: { type: "boolean" },
    },
  });
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
}

function numberOf(name: string, text: string, { least, most, isWhole }: Range): number {
  const value = Number(text);
  const isGood = text !== "" && value >= least && value <= most && (!isWhole || Number.isInteger(value));
  if (isGood) return value;
  throw new UsageError(
    `--${name} ${text} is not a ${isWhole ? "whole " : ""}number from ${String(least)} to ${String(most)}`,
  );
}

function apiOf(text: string): Api {
  const api = apis.find((one) => one === text);
  if (api === undefined) throw new UsageError(`--api ${text} is none of ${apis.join(", ")}`);
  return api;
}

function kindOf(text: string): FaultKind {
  const kind = faultKinds.find((one) => one === text);
  if (kind === undefined)
    throw new UsageError(`no fault is called ${text}; there are ${faultKinds.join(", ")}`);
  return kind;
}
