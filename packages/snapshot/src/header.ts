/**
 * What stands before the chunks of a snapshot: which state it is, and whose.
 *
 *   0  format, 02, of what follows and of the records in the chunks
 *   1  snapshot id
 *   9  cluster id
 *  17  index of the last entry applied
 *  25  term of that entry
 *  33  revision
 *  41  bytes of the configuration
 *  45  configuration in force at that index (encodeConfiguration of @dkv/raft)
 *   …  CRC-32 of everything before, the last 4 bytes
 *
 * Counts are 64 bits, ids as well, lengths and checksums 32, all of them big-endian.
 */
import { crc32 } from "node:zlib";
import {
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
  type EntryId,
  logIndex,
  term,
} from "@dkv/raft";
import type { Position } from "@dkv/store";
import { writeCount } from "@dkv/store";
import { readCount } from "./count.ts";
import { DamagedSnapshotError } from "./damage.ts";

export interface SnapshotHeader {
  /** Drawn at random for each frozen view: with the same id, chunk n is the same bytes every time. */
  readonly snapshotId: bigint;
  readonly clusterId: bigint;
  /** The last entry applied in it. */
  readonly last: EntryId;
  /** In force at the index of `last`. */
  readonly configuration: Configuration;
  /** Of the store. */
  readonly revision: number;
}

/** No configuration comes near: a row of the membership table takes some hundred bytes. */
export const maxHeaderBytes = 2 ** 20;

const format = 2;
const fixedBytes = 45;
const checksumBytes = 4;

/** No honest member ever counts so far. Beyond, the consensus core could not count on exactly. */
const maxEntryCount = 2 ** 52;

export function encodeHeader(header: SnapshotHeader): Buffer {
  const configuration = encodeConfiguration(header.configuration);
  const buffer = Buffer.allocUnsafe(fixedBytes + configuration.length + checksumBytes);
  buffer[0] = format;
  buffer.writeBigUInt64BE(header.snapshotId, 1);
  buffer.writeBigUInt64BE(header.clusterId, 9);
  writeCount(buffer, header.last.index, 17);
  writeCount(buffer, header.last.term, 25);
  writeCount(buffer, header.revision, 33);
  buffer.writeUInt32BE(configuration.length, 41);
  buffer.set(configuration, fixedBytes);
  const end = fixedBytes + configuration.length;
  buffer.writeUInt32BE(crc32(buffer.subarray(0, end)), end);
  return buffer;
}

/** Throws {@link DamagedSnapshotError}. */
export function decodeHeader(bytes: Uint8Array): SnapshotHeader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = buffer.length - checksumBytes;
  if (end < fixedBytes) throw new DamagedSnapshotError("the header of a snapshot is cut short");
  if (buffer.length > maxHeaderBytes) throw new DamagedSnapshotError("the header of a snapshot is too large");
  if (crc32(buffer.subarray(0, end)) !== buffer.readUInt32BE(end))
    throw new DamagedSnapshotError("the checksum of a snapshot's header is wrong");
  if (buffer[0] !== format) {
    throw new DamagedSnapshotError(
      `a snapshot has format ${String(buffer[0])}, and this version of dkv reads format ${String(format)} only: ` +
        "all members of a cluster need versions with the same format",
    );
  }
  if (buffer.readUInt32BE(41) !== end - fixedBytes)
    throw new DamagedSnapshotError("the header of a snapshot is not as it was written");
  return {
    snapshotId: buffer.readBigUInt64BE(1),
    clusterId: buffer.readBigUInt64BE(9),
    last: { index: logIndex(entryCount(buffer, 17)), term: term(entryCount(buffer, 25)) },
    revision: readCount(buffer, 33),
    configuration: configurationIn(buffer.subarray(fixedBytes, end)),
  };
}

function entryCount(buffer: Buffer, offset: number): number {
  const count = readCount(buffer, offset);
  if (count > maxEntryCount) throw new DamagedSnapshotError("a snapshot has a term or an index above 2^52");
  return count;
}

/** Throws {@link DamagedSnapshotError} unless the state stands where the header says. */
export function checkPosition({ last, revision }: SnapshotHeader, stored: Position): void {
  const isTold =
    stored.appliedIndex === last.index && stored.appliedTerm === last.term && stored.revision === revision;
  if (!isTold)
    throw new DamagedSnapshotError("the state in a snapshot is not the one that its header tells of");
}

function configurationIn(bytes: Buffer): Configuration {
  try {
    // A copy: what is decoded may be kept for long, and must not keep alive what the header came in.
    return decodeConfiguration(Uint8Array.from(bytes));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DamagedSnapshotError(`the configuration in a snapshot makes no sense: ${error.message}`, {
      cause: error,
    });
  }
}
