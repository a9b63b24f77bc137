/**
 * Opens a data directory: creates it at the first start, and at every later one makes sure that it is
 * whole and ours before anything in it is believed.
 *
 *   <dataDir>/db        LevelDB
 *   <dataDir>/witness   how far the database had come (witness.ts)
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { noEntry, type HardState } from "@dkv/raft";
import { DamagedRecordError } from "@dkv/store";
import type { Logger } from "pino";
import { StartupError } from "../platform/startup-error.ts";
import { DamageError, damagedDirectory } from "./damage.ts";
import { metaKeys } from "./keyspace.ts";
import { LevelDbStorage } from "./leveldb-storage.ts";
import { Database, OpenError } from "./leveldb.ts";
import {
  formatVersion,
  hexId,
  sealIdentity,
  sealMarker,
  sealMembers,
  unsealIdentity,
  unsealMembers,
} from "./records.ts";
import type { Identity, MemberRecord, Storage } from "./storage.ts";
import { verify } from "./verify.ts";
import { Witness } from "./witness.ts";

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
  let witness: Witness | undefined;
  let database: Database | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    witness = Witness.open(join(dataDir, "witness"));
    database = await openDatabase(dataDir, witness);
    const created = isFirstStart(database, witness, await database.isEmpty());
    if (created) {
      if (options.mayCreate === false) throw nothingThere(dataDir);
      witness?.close();
      witness = Witness.create(join(dataDir, "witness"), options.identity);
      await bootstrap(database, witness, options);
    }
    if (witness === undefined) throw new DamageError("the file named witness is missing beside the database");
    const storage = await openVerified(database, witness, options);
    options.logger?.info({ dataDir, created, lastIndex: storage.log.lastIndex }, "data directory opened");
    return { storage, created };
  } catch (error) {
    witness?.close();
    await database?.close();
    throw refusal(dataDir, error);
  }
}

async function openDatabase(dataDir: string, witness: Witness | undefined): Promise<Database> {
  const directory = join(dataDir, "db");
  const exists = existsSync(join(directory, "CURRENT"));
  // LevelDB would take a directory without this file for a new one, and delete the tables it finds there.
  if (!exists && hasTables(directory)) throw new DamageError(`the file CURRENT is missing in ${directory}`);
  if (!exists && witness !== undefined && witness.batch > 0) {
    throw new DamageError(`the database is missing, which held ${String(witness.batch)} batches at least`);
  }
  return Database.open(directory, exists ? "existing" : "create");
}

function hasTables(directory: string): boolean {
  return existsSync(directory) && readdirSync(directory).some((name) => /\.(ldb|sst|log)$/.test(name));
}

/** A start that was cut short before its first batch was synced counts as none. */
function isFirstStart(database: Database, witness: Witness | undefined, isEmpty: boolean): boolean {
  if (database.get(metaKeys.identity) !== undefined) return false;
  if (isEmpty && (witness === undefined || witness.batch === 0)) return true;
  throw new DamageError("the record is missing that says whose directory this is");
}

const { index: start, term } = noEntry;
const beforeFirstElection: HardState = { term, votedFor: undefined, commit: start };

/** Batch 1. The witness is synced after it, so that the directory cannot pass for a new one any more. */
async function bootstrap(database: Database, witness: Witness, options: OpenStorageOptions): Promise<void> {
  const batch = database.batch();
  const records = [
    sealIdentity(options.identity),
    sealMembers(options.members),
    sealMarker({
      batch: 1,
      oldestKept: 1,
      lastIndex: start,
      appliedIndex: start,
      hardState: beforeFirstElection,
    }),
  ];
  for (const { key, value } of records) batch.put(key, value);
  await batch.commit();
  witness.record(1);
  witness.sync();
}

async function openVerified(
  database: Database,
  witness: Witness,
  options: OpenStorageOptions,
): Promise<LevelDbStorage> {
  const identity = checkIdentity(database, witness, options);
  const verified = await verify(database, witness.batch);
  if (witness.batch < verified.marker.batch) witness.record(verified.marker.batch);
  witness.sync();
  return new LevelDbStorage({ database, witness, identity, verified });
}

/** Format first, for a newer one may give everything after it another meaning. */
function checkIdentity(database: Database, witness: Witness, options: OpenStorageOptions): Identity {
  const stored = database.get(metaKeys.identity);
  if (stored === undefined) throw new DamageError("the record is missing that says whose directory this is");
  const { format, identity } = unsealIdentity(stored);
  const newest = Math.max(format, witness.format);
  if (newest > formatVersion) {
    throw new StartupError(
      "environment",
      `the data in ${options.dataDir} has format ${String(newest)}, and this version of dkv knows formats ` +
        `up to ${String(formatVersion)}: start it with the newer version that wrote it`,
    );
  }
  if (!isSame(identity, witness.identity)) {
    throw new DamageError(
      `the database belongs to ${describe(identity)}, its witness to ${describe(witness.identity)}`,
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

const isSame = (a: Identity, b: Identity): boolean =>
  a.clusterId === b.clusterId && a.memberId === b.memberId;

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
