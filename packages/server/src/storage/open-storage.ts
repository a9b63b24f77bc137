/**
 * Opens a data directory: creates it at the first start, and at every later one makes sure that it is
 * whole and ours before anything in it is believed. generation/layout.ts says what lies where.
 */
import { logIndex, type Configuration } from "@dkv/raft";
import type { Logger } from "pino";
import type { Random } from "../platform/random.ts";
import { DamageError } from "./damage.ts";
import { bootstrap } from "./generation/bootstrap.ts";
import { lockCurrent } from "./generation/current.ts";
import type { GenerationOptions } from "./generation/generation.ts";
import { deleteOthers, firstGeneration, makeDirectory } from "./generation/layout.ts";
import { verifyGeneration } from "./generation/verify-generation.ts";
import { MemberStorage } from "./member-storage.ts";
import { nothingThere, notOurs, otherFormat, refusal } from "./refusals.ts";
import { forgetRestoring } from "./restoring-note.ts";
import { lastReceivedIn } from "./snapshot/received-snapshot.ts";
import { metaKeys } from "./state/keyspace.ts";
import type { Database } from "./state/leveldb.ts";
import { unsealIdentity } from "./state/records.ts";
import type { Owner, Storage, StoredOwner } from "./storage.ts";

export { holdsMember } from "./generation/generation-file.ts";

export interface OpenStorageOptions extends GenerationOptions {
  /**
   * Who starts. Written at the first start. At later ones a directory of a member with another name is
   * refused; ids are those it was created with, whatever is given by then.
   */
  readonly identity: Owner;
  /** In force before the first entry. Written at the first start; later ones go by what is stored. */
  readonly configuration: Configuration;
  /** Whether an empty directory may become this member's. True unless said otherwise. */
  readonly mayCreate?: boolean;
  readonly random: Pick<Random, "name">;
  readonly logger?: Logger;
}

export interface OpenedStorage {
  readonly storage: Storage;
  /** Whether this was the first start. */
  readonly created: boolean;
}

/** Throws StartupError saying what is wrong with the directory and what to do about it. */
export async function openStorage(options: OpenStorageOptions): Promise<OpenedStorage> {
  const { dataDir, mayCreate = true, logger } = options;
  let database: Database | undefined;
  try {
    makeDirectory(dataDir);
    const current = await lockCurrent(dataDir);
    ({ database } = current);
    const created = current.number === undefined;
    if (created) {
      if (!mayCreate) throw nothingThere(dataDir);
      const identity = { ...options.identity, incarnation: options.random.name() };
      await bootstrap(database, { ...options, identity });
    }
    const number = current.number ?? firstGeneration;
    const identity = ownerOf(database, options);
    const generation = await verifyGeneration({ number, database, identity }, options);
    forgetRestoring(dataDir);
    const { appliedIndex } = generation.savedState;
    await deleteOthers(dataDir, number, async (received) => {
      const last = await lastReceivedIn(received);
      return last !== undefined && last > appliedIndex;
    });
    const { hardState } = generation.log;
    const commit = logIndex(Math.max(hardState.commit, appliedIndex));
    const found = { identity, hardState: { ...hardState, commit }, generation };
    const storage = new MemberStorage(found, options);
    logger?.info({ dataDir, created, lastIndex: storage.log.lastIndex }, "data directory opened");
    return { storage, created };
  } catch (error) {
    await database?.close();
    throw refusal(dataDir, error);
  }
}

/** Format first, for a newer one may give everything after it another meaning. */
function ownerOf(database: Database, { dataDir, identity }: OpenStorageOptions): StoredOwner {
  const stored = database.get(metaKeys.identity);
  if (stored === undefined) throw new DamageError("the record is missing that says whose directory this is");
  const { format, owner } = unsealIdentity(stored);
  if (owner === undefined) throw otherFormat(dataDir, format);
  if (owner.name !== identity.name) throw notOurs(dataDir, owner, identity);
  return owner;
}
