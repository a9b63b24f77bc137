/**
 * Where in the data directory what lies. A snapshot that takes the place of everything is received beside it,
 * in the next generation, and becomes current by one small file.
 *
 *   <dataDir>/generation        the number of the current one: 3
 *   <dataDir>/0000000003/db     LevelDB: whose directory this is, where the log begins, the state machine
 *   <dataDir>/0000000003/log    the log (log/segment-file.ts)
 *   <dataDir>/0000000004/db     a part of a snapshot, perhaps
 *   <dataDir>/restoring         while a backup is being restored there
 */
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { syncDirectory } from "../log/segment-file.ts";

export const firstGeneration = 1;

const nameOf = (generation: number): string => String(generation).padStart(10, "0");

export const generationDirectory = (dataDir: string, generation: number): string =>
  join(dataDir, nameOf(generation));
export const databaseDirectory = (dataDir: string, generation: number): string =>
  join(generationDirectory(dataDir, generation), "db");
export const logDirectory = (dataDir: string, generation: number): string =>
  join(generationDirectory(dataDir, generation), "log");

/** Numbers of the generations that there is something of, ascending. */
export function generationsIn(dataDir: string): readonly number[] {
  const names = readdirSync(dataDir).filter((name) => /^\d{10}$/.test(name));
  return names.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
}

/** Whether LevelDB has begun a database there. It would take a directory without this file for a new one. */
export const hasDatabase = (directory: string): boolean => existsSync(join(directory, "CURRENT"));

/**
 * Deletes what was left of other generations, but not a snapshot whose rest may come: `isOfUse` is asked about the
 * database of the next one. Does not block.
 */
export async function deleteOthers(
  dataDir: string,
  current: number,
  isOfUse: (database: string) => Promise<boolean>,
): Promise<void> {
  for (const generation of generationsIn(dataDir)) {
    const isIncoming = generation === current + 1 && (await isOfUse(databaseDirectory(dataDir, generation)));
    if (generation !== current && !isIncoming) await deleteGeneration(dataDir, generation);
  }
}

/** Deletes what the current generation came after. Does not block. */
export async function deleteBefore(dataDir: string, current: number): Promise<void> {
  for (const generation of generationsIn(dataDir))
    if (generation < current) await deleteGeneration(dataDir, generation);
}

export const deleteGeneration = (dataDir: string, generation: number): Promise<void> =>
  rm(generationDirectory(dataDir, generation), { recursive: true, force: true });

/**
 * Makes a directory and what lies above it, so that no power cut takes the directory of a member away. Not by
 * Node's own recursion: that never ends where the system knows of no file and makes none, as in /proc.
 */
export function makeDirectory(path: string): void {
  const directory = resolve(path);
  if (isDirectory(directory)) return;
  const parent = dirname(directory);
  makeDirectory(parent);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    // Another member may have made the one that theirs have in common.
    if (!isDirectory(directory)) throw error;
  }
  syncDirectory(parent);
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
