/** What the tests of storage write, and where. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  encodeConfiguration,
  initialConfiguration,
  logIndex,
  nodeId,
  noEntry,
  term,
  type Configuration,
  type ConfigurationAt,
  type Entry,
  type HardState,
} from "@dkv/raft";
import { create } from "@bufbuild/protobuf";
import { SetCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { encodeCommand, encodePosition, positionKey, type RecordChange } from "@dkv/store";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { openStorage, type OpenedStorage, type OpenStorageOptions } from "../../src/storage/open-storage.ts";
import { freshBase, type LogBase } from "../../src/storage/log/log-base.ts";
import type { Owner, PersistedBatch, Storage } from "../../src/storage/storage.ts";

export const identity: Owner = { clusterId: 0xc1n, memberId: nodeId(0xa1n), name: "one" };

/** Of so many voters. */
export const configuration = (voters: number, context = `of ${String(voters)}`): Configuration =>
  initialConfiguration(
    Array.from({ length: voters }, (_, position) => nodeId(0xa1n + BigInt(position))),
    Uint8Array.from(Buffer.from(context)),
  );

/** What a new directory begins with. */
export const initial: ConfigurationAt = { index: logIndex(0), configuration: configuration(2) };

/** Where a log begins that was never compacted. */
export const logStart: LogBase = freshBase(noEntry, initial);

/** Where the database of a generation is, and its log. */
export const databaseIn = (dataDir: string, generation = 1): string =>
  join(dataDir, String(generation).padStart(10, "0"), "db");
export const logIn = (dataDir: string, generation = 1): string =>
  join(dataDir, String(generation).padStart(10, "0"), "log");

export async function temporaryDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "dkv-storage-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Small, so that tests come to the end of one. */
export const segmentBytes = 64 * 1024;

/** What a start is given. */
export const startOf = (dataDir: string): OpenStorageOptions => ({
  dataDir,
  identity,
  configuration: initial.configuration,
  segmentBytes,
  clock: systemClock,
  random: systemRandom,
});

export const open = (dataDir: string): Promise<OpenedStorage> => openStorage(startOf(dataDir));

/** Opens, hands over the storage, and closes it whatever happens. */
export async function withStorage<Result>(
  dataDir: string,
  use: (storage: Storage) => Promise<Result> | Result,
): Promise<Result> {
  const { storage } = await open(dataDir);
  try {
    return await use(storage);
  } finally {
    await storage.close();
  }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array | undefined): string | undefined =>
  data === undefined ? undefined : new TextDecoder().decode(data);

export const entry = (
  index: number,
  ofTerm: number,
  data: string | Uint8Array = `${String(index)}@${String(ofTerm)}`,
): Entry => ({
  index: logIndex(index),
  term: term(ofTerm),
  kind: "command",
  data: typeof data === "string" ? bytes(data) : data,
});

export const configurationEntry = (index: number, ofTerm: number, of: Configuration): Entry => ({
  ...entry(index, ofTerm, encodeConfiguration(of)),
  kind: "configuration",
});

export const hardState = (ofTerm: number, commit = 0, votedFor?: bigint): HardState => ({
  term: term(ofTerm),
  votedFor: votedFor === undefined ? undefined : nodeId(votedFor),
  commit: logIndex(commit),
});

export const stateKey = (name: string): Uint8Array => Uint8Array.of(0x20, ...bytes(name));
export const change = (name: string, value: string | undefined): RecordChange => ({
  key: stateKey(name),
  value: value === undefined ? undefined : bytes(value),
});

export const batch = (parts: Partial<PersistedBatch>): PersistedBatch => ({
  hardState: undefined,
  entries: [],
  ...parts,
});

/** Changes as the store gives them out: its position is the last of them. */
export const changes = (
  records: readonly RecordChange[],
  applied: { readonly index: number; readonly term: number } = { index: 0, term: 0 },
): readonly RecordChange[] => {
  const position = { appliedIndex: applied.index, appliedTerm: applied.term, revision: 1 + applied.index };
  return [...records, { key: positionKey, value: encodePosition(position) }];
};

export const setCommand = (key: string, value: string): Uint8Array =>
  encodeCommand(
    { proposer: 1n, sequence: 1 },
    { case: "set", value: create(SetCommandSchema, { key: bytes(key), value: bytes(value) }) },
  );

/** The whole log, for comparing. */
export function logOf({ log }: Storage): readonly Entry[] {
  if (log.lastIndex < log.firstIndex) return [];
  const all = log.entries(log.firstIndex, logIndex(log.lastIndex + 1), Number.POSITIVE_INFINITY);
  return all.map((each) => ({ ...each, data: Uint8Array.from(each.data) }));
}
