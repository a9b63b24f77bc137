/**
 * A backup file: a snapshot that says itself whether it is whole.
 *
 *   0  "dkv backup" and a line feed
 *  11  format, 02; it says what the records of the store look like as well
 *  12  sections, each:  0  kind: 1 the header (../header.ts), 2 a chunk, 3 the trailer (../chunk.ts)
 *                       1  bytes of its content
 *                       5  content
 *   …  SHA-256 of everything before, 32 bytes, the last of the file
 *
 * The header comes first, the trailer last, between them the chunks in their order. Lengths are 32 bits,
 * big-endian.
 */
import { maxChunkBytes, trailerBytes } from "../chunk.ts";
import { maxHeaderBytes } from "../header.ts";

export const format = 2;

/** What every backup begins with, whatever its format is. */
export const magic = Buffer.from("dkv backup\n");

export const sectionHeaderBytes = 5;
export const digestBytes = 32;

export type SectionKind = "header" | "chunk" | "trailer";

export const sectionCodes: Readonly<Record<SectionKind, number>> = { header: 1, chunk: 2, trailer: 3 };
export const sectionKinds: readonly (SectionKind | undefined)[] = [undefined, "header", "chunk", "trailer"];

/** The most that the content of a section may have: what is longer was never written. */
export const sectionLimits: Readonly<Record<SectionKind, number>> = {
  header: maxHeaderBytes,
  chunk: maxChunkBytes,
  trailer: trailerBytes,
};
