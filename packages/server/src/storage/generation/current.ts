/**
 * Finds the current generation and takes LevelDB's lock of its database, which keeps every other process out
 * of the whole directory: whoever makes another generation current holds that one's lock as well, and
 * lets go of the old one only afterwards. So a lock counts only if the generation is still the current one
 * once it is held.
 *
 *   us      reads 3                      locks 3   reads 4: begins anew   4 is locked: refused
 *   another          3 → 4  lets go of 3
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DamageError } from "../damage.ts";
import { hasRecords } from "../log/create-log.ts";
import { olderFormat, otherFormat, restoreCutShort } from "../refusals.ts";
import { isRestoring } from "../restoring-note.ts";
import { afterFirstMarker } from "../state/keyspace.ts";
import { Database } from "../state/leveldb.ts";
import { formatVersion } from "../storage.ts";
import { readGenerationFile } from "./generation-file.ts";
import {
  databaseDirectory,
  firstGeneration,
  generationDirectory,
  generationsIn,
  hasDatabase,
  logDirectory,
  makeDirectory,
} from "./layout.ts";

export interface LockedGeneration {
  readonly database: Database;
  /** Undefined before the first start was complete: nothing was promised, and the database is as good as empty. */
  readonly number: number | undefined;
}

/** Throws {@link DamageError}, OpenError, or StartupError for another format. */
export async function lockCurrent(dataDir: string): Promise<LockedGeneration> {
  for (;;) {
    const number = currentIn(dataDir);
    let database: Database;
    try {
      database = await (number === undefined ? openFirst(dataDir) : openExisting(dataDir, number));
    } catch (error) {
      if (currentIn(dataDir) !== number) continue;
      throw error;
    }
    if (currentIn(dataDir) === number) return { database, number };
    await database.close();
  }
}

function currentIn(dataDir: string): number | undefined {
  const found = readGenerationFile(dataDir);
  if (found !== undefined && found.format !== formatVersion) throw otherFormat(dataDir, found.format);
  return found?.number;
}

async function openExisting(dataDir: string, number: number): Promise<Database> {
  const directory = databaseDirectory(dataDir, number);
  if (!existsSync(generationDirectory(dataDir, number)))
    throw new DamageError(`generation ${String(number)} is missing, which is the current one`);
  checkTables(directory);
  if (!hasDatabase(directory)) throw new DamageError("the database is missing that belongs to the log");
  return Database.open(directory, "existing");
}

/** A start that was cut short counts as none: nothing was promised before a generation was current. */
async function openFirst(dataDir: string): Promise<Database> {
  if (hasDatabase(join(dataDir, "db"))) throw olderFormat(dataDir, "format 1");
  if (isRestoring(dataDir)) throw restoreCutShort(dataDir);
  if (generationsIn(dataDir).some((number) => number !== firstGeneration)) throw fileMissing();
  const directory = databaseDirectory(dataDir, firstGeneration);
  checkTables(directory);
  const hasLog = hasRecords(logDirectory(dataDir, firstGeneration));
  if (hasLog && !hasDatabase(directory)) throw fileMissing();
  makeDirectory(directory);
  const database = await Database.open(directory, "create");
  if (!hasLog && (await database.isEmpty(afterFirstMarker()))) return database;
  await database.close();
  throw fileMissing();
}

function fileMissing(): DamageError {
  return new DamageError(
    "the file generation is missing, which says where the current data is, and there is data of a member",
  );
}

function checkTables(directory: string): void {
  if (hasDatabase(directory) || !existsSync(directory)) return;
  if (readdirSync(directory).some((name) => /\.(ldb|sst|log)$/.test(name)))
    throw new DamageError(`the file CURRENT is missing in ${directory}`);
}
