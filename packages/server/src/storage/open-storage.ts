/**
 * Opens a data directory: creates it at the first start, and at every later one makes sure that it is
 * whole and ours before anything in it is believed.
 *
 *   <dataDir>/db    LevelDB: whose directory this is, and the state machine
 *   <dataDir>/log   the log (log/segment-file.ts)
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { logIndex, noEntry } from "@dkv/raft";
import { DamagedRecordError, readPosition, type Position } from "@dkv/store";
import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";
import { StartupError } from "../platform/startup-error.ts";
import { DamageError, damagedDirectory } from "./damage.ts";
import { createLog, hasRecords } from "./log/create-log.ts";
import type { LogOptions } from "./log/log-end.ts";
import { recoverLog, type RecoveredLog } from "./log/recover-log.ts";
import { syncDirectory } from "./log/segment-file.ts";
import { SegmentedLog } from "./log/segmented-log.ts";
import { MemberStorage } from "./member-storage.ts";
import { metaKeys } from "./state/keyspace.ts";
import { Database, OpenError } from "./state/leveldb.ts";
import {
  hexId,
  sealIdentity,
  sealMarker,
  sealMembers,
  unsealIdentity,
  unsealMembers,
  type Marker,
} from "./state/records.ts";
import { SavedState } from "./state/saved-state.ts";
import { verifyState } from "./state/verify.ts";
import { formatVersion, type Identity, type MemberRecord, type Storage } from "./storage.ts";

/** At full load a segment lasts some seconds; a small one costs a pause of a millisecond more often. */
const defaultSegmentBytes = 16 * 2 ** 20;

/** Entries kept in memory, for followers that are a little behind. */
const recentEntriesBytes = 8 * 2 ** 20;

export interface OpenStorageOptions {
  readonly dataDir: string;
  /**
   * Who starts. Written at the first start. At later ones a directory of another member is refused; the
   * cluster is the one it was created for, whatever the flags say by then.
   */
  readonly identity: Identity;
  /** Written at the first start; later ones go by what was written then. */
  readonly members: readonly MemberRecord[];
  /** Whether an empty directory may become this member's. True unless said otherwise. */
  readonly mayCreate?: boolean;
  /** Size of the log's files; 16 MiB unless said otherwise. */
  readonly segmentBytes?: number;
  readonly clock: Pick<Clock, "nowMs" | "soon">;
  readonly logger?: Logger;
}

export interface OpenedStorage {
  readonly storage: Storage;
  /** Whether this was the first start. */
  readonly created: boolean;
}

/** Throws StartupError saying what is wrong with the directory and what to do about it. */
export async function openStorage(options: OpenStorageOptions): Promise<OpenedStorage> {
  const { dataDir } = options;
  let database: Database | undefined;
  try {
    makeDirectory(dataDir);
    database = await openDatabase(dataDir);
    const created = await isFirstStart(database, dataDir);
    if (created) {
      if (options.mayCreate === false) throw nothingThere(dataDir);
      await bootstrap(database, options);
    }
    const storage = await openVerified(database, options);
    options.logger?.info({ dataDir, created, lastIndex: storage.log.lastIndex }, "data directory opened");
    return { storage, created };
  } catch (error) {
    await database?.close();
    throw refusal(dataDir, error);
  }
}

/** Makes it and what lies above it, so that no power cut takes the directory of a member away. */
function makeDirectory(path: string): void {
  const highest = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (highest === undefined) return;
  for (let made = resolve(path); ; made = dirname(made)) {
    syncDirectory(dirname(made));
    if (made === resolve(highest)) return;
  }
}

async function openDatabase(dataDir: string): Promise<Database> {
  const directory = join(dataDir, "db");
  const exists = existsSync(join(directory, "CURRENT"));
  // LevelDB would take a directory without this file for a new one, and delete the tables it finds there.
  if (!exists && hasTables(directory)) throw new DamageError(`the file CURRENT is missing in ${directory}`);
  if (!exists && hasRecords(logDirectory(dataDir)))
    throw new DamageError("the database is missing that belongs to the log");
  return Database.open(directory, exists ? "existing" : "create");
}

const logDirectory = (dataDir: string): string => join(dataDir, "log");

function hasTables(directory: string): boolean {
  return existsSync(directory) && readdirSync(directory).some((name) => /\.(ldb|sst|log)$/.test(name));
}

/** A start that was cut short before the database had its first batch counts as none. */
async function isFirstStart(database: Database, dataDir: string): Promise<boolean> {
  if (database.get(metaKeys.identity) !== undefined) return false;
  if ((await database.isEmpty()) && !hasRecords(logDirectory(dataDir))) return true;
  throw ownerMissing();
}

const ownerMissing = (): DamageError =>
  new DamageError("the record is missing that says whose directory this is");

/** The log first: what the database does not know of is made anew at the next start. */
async function bootstrap(database: Database, options: OpenStorageOptions): Promise<void> {
  await createLog(logOptions(options, options.identity));
  const batch = database.batch();
  const records = [
    sealIdentity(options.identity),
    sealMembers(options.members),
    sealMarker({ batch: 1, oldestKept: 1, appliedIndex: noEntry.index, durableRecord: 0 }),
  ];
  for (const { key, value } of records) batch.put(key, value);
  await batch.commit();
}

function logOptions(options: OpenStorageOptions, identity: Identity): LogOptions {
  const { dataDir, segmentBytes = defaultSegmentBytes } = options;
  return { directory: logDirectory(dataDir), identity, segmentBytes, recentBytes: recentEntriesBytes };
}

async function openVerified(database: Database, options: OpenStorageOptions): Promise<MemberStorage> {
  const identity = checkIdentity(database, options);
  const { members, marker } = await verifyState(database);
  const log = logOptions(options, identity);
  const recovered = await recoverLog({
    ...log,
    durableRecord: marker.durableRecord,
    clock: options.clock,
  });
  checkAgreement(readPosition(database), marker, recovered);
  const { hardState } = recovered;
  return new MemberStorage({
    identity,
    members,
    hardState: { ...hardState, commit: logIndex(Math.max(hardState.commit, marker.appliedIndex)) },
    log: new SegmentedLog(log, recovered.settle(), { ...recovered.records, clock: options.clock }),
    database,
    savedState: new SavedState(database, marker),
  });
}

/** Log and state tell of each other how far they had come. */
function checkAgreement(position: Position, marker: Marker, { savedBatch, records }: RecoveredLog): void {
  const { appliedIndex, appliedTerm } = position;
  if (marker.batch < savedBatch) {
    throw new DamageError(
      `batches ${String(marker.batch + 1)} to ${String(savedBatch)} of the state were synced and are missing, ` +
        `and with them what came of the log after entry ${String(appliedIndex)}`,
    );
  }
  if (records.terms.at(logIndex(appliedIndex)) !== appliedTerm) {
    throw new DamageError(
      `log entry ${String(appliedIndex)}, which was applied last, is not in the log or not of term ${String(appliedTerm)}`,
    );
  }
}

/** Format first, for a newer one may give everything after it another meaning. */
function checkIdentity(database: Database, options: OpenStorageOptions): Identity {
  const stored = database.get(metaKeys.identity);
  if (stored === undefined) throw ownerMissing();
  const { format, identity } = unsealIdentity(stored);
  if (format > formatVersion) {
    throw new StartupError(
      "environment",
      `the data in ${options.dataDir} has format ${String(format)}, and this version of dkv knows formats ` +
        `up to ${String(formatVersion)}: start it with the newer version that wrote it`,
    );
  }
  if (identity.memberId !== options.identity.memberId) throw notOurs(database, identity, options);
  return identity;
}

function notOurs(
  database: Database,
  owner: Identity,
  { dataDir, identity, members }: OpenStorageOptions,
): StartupError {
  const stored = database.get(metaKeys.members);
  const ownerName = stored && unsealMembers(stored).find(({ id }) => id === owner.memberId)?.name;
  const ourName = members.find(({ id }) => id === identity.memberId)?.name;
  return new StartupError(
    "environment",
    `the data in ${dataDir} belongs to ${describe(owner, ownerName)}, ` +
      `and this is ${describe(identity, ourName)}: give each member a directory of its own, ` +
      "or start this one with the name and the cluster token it was created with",
  );
}

function nothingThere(dataDir: string): StartupError {
  return new StartupError(
    "environment",
    `no member's data is in ${dataDir}: name the directory that this member had, or begin a new cluster`,
  );
}

function describe({ clusterId, memberId }: Identity, name?: string): string {
  const member = name === undefined ? hexId(memberId) : `"${name}" (${hexId(memberId)})`;
  return `member ${member} of cluster ${hexId(clusterId)}`;
}

function refusal(dataDir: string, error: unknown): unknown {
  if (error instanceof DamageError || error instanceof DamagedRecordError)
    return damagedDirectory(dataDir, error);
  if (error instanceof OpenError) return cannotOpen(dataDir, error);
  if (error instanceof Error && "syscall" in error) {
    return new StartupError("environment", `cannot use the data directory ${dataDir}: ${error.message}`, {
      cause: error,
    });
  }
  return error;
}

function cannotOpen(dataDir: string, error: OpenError): StartupError {
  switch (error.failure) {
    case "locked":
      return new StartupError(
        "environment",
        `another dkv uses the data directory ${dataDir}: stop it, or give this one a directory of its own`,
        { cause: error },
      );
    case "corrupt":
      return damagedDirectory(
        dataDir,
        new DamageError(`LevelDB found a damaged file: ${error.message}`, { cause: error }),
      );
    case "failed":
      return new StartupError("environment", `cannot open the database in ${dataDir}: ${error.message}`, {
        cause: error,
      });
  }
}
