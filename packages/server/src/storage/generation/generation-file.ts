/**
 * The file that says which generation is current. It is replaced as a whole, so it names the old one or the
 * new one whenever a crash comes.
 *
 *   0  "dkvgen" and two zero bytes     12  number of the generation
 *   8  format of the directory         20  CRC-32 of the bytes before
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { countBytes, writeCount } from "@dkv/store";
import { readCount } from "../count.ts";
import { DamageError } from "../damage.ts";
import { syncDirectory, writeAll } from "../log/segment-file.ts";
import { formatVersion } from "../storage.ts";

const magic = Buffer.from("dkvgen\0\0");
const checkedBytes = magic.length + 4 + countBytes;
const fileBytes = checkedBytes + 4;

const pathIn = (dataDir: string): string => join(dataDir, "generation");

export interface GenerationFile {
  /** What follows means what this version thinks it does only if it knows the format. */
  readonly format: number;
  readonly number: number;
}

/** Whether the directory is a member's already. */
export const holdsMember = (dataDir: string): boolean => existsSync(pathIn(dataDir));

/** Undefined if there is no such file. Throws {@link DamageError}. */
export function readGenerationFile(dataDir: string): GenerationFile | undefined {
  if (!holdsMember(dataDir)) return undefined;
  const content = readFileSync(pathIn(dataDir));
  const isWhole =
    content.length === fileBytes &&
    content.subarray(0, magic.length).equals(magic) &&
    crc32(content.subarray(0, checkedBytes)) === content.readUInt32BE(checkedBytes);
  if (!isWhole) throw new DamageError("the file generation is not what was written");
  return { format: content.readUInt32BE(magic.length), number: readCount(content, magic.length + 4) };
}

/** Everything in the generation must be durable. When this returns, it is the current one whatever comes. */
export function writeGenerationFile(dataDir: string, number: number): void {
  const content = Buffer.alloc(fileBytes);
  content.set(magic);
  content.writeUInt32BE(formatVersion, magic.length);
  writeCount(content, number, magic.length + 4);
  content.writeUInt32BE(crc32(content.subarray(0, checkedBytes)), checkedBytes);
  const path = pathIn(dataDir);
  const next = `${path}.next`;
  const descriptor = openSync(next, "w", 0o600);
  try {
    writeAll(descriptor, content, 0);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(next, path);
  syncDirectory(dataDir);
}
