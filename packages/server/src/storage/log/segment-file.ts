/**
 * The files that the log's records are in, one after the other: 0000000001.log, 0000000002.log, ...
 *
 *   0    "dkvlog" and two zero bytes     24  member id
 *   8    format of the directory         32  number of the segment
 *   12   bytes of this file              40  checksum that its first record continues
 *   16   cluster id                      44  CRC-32 of the bytes before; zeroes up to 512
 *   512  records, then zeroes to the end
 *
 * A file has its full size, all of it written, before it takes a record: a sync has then nothing to tell
 * the file system, and what a torn write lacks shows as zeroes (recover-log.ts).
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { nodeId } from "@dkv/raft";
import { writeCount } from "@dkv/store";
import { readCount } from "../count.ts";
import { DamageError } from "../damage.ts";
import { newerSegment } from "../refusals.ts";
import { formatVersion, type Identity } from "../storage.ts";
import { isZero } from "./sectors.ts";

const magic = Buffer.from("dkvlog\0\0");
export const segmentHeaderBytes = 512;
const usedHeaderBytes = 48;

/** Written at once while a file is prepared, so that nobody's sync waits for much of it. */
const zeroes = Buffer.alloc(2 ** 20);

export interface SegmentHeader {
  readonly format: number;
  readonly bytes: number;
  readonly identity: Identity;
  readonly number: number;
  readonly chain: number;
}

/** The segment that records are appended to. */
export interface OpenSegment {
  readonly descriptor: number;
  readonly number: number;
  readonly bytes: number;
}

const nameOf = (number: number): string => `${String(number).padStart(10, "0")}.log`;
const sparePath = (directory: string): string => join(directory, "next");
export const segmentPath = (directory: string, number: number): string => join(directory, nameOf(number));

/** The number in a segment's name; undefined for any other file. */
export function segmentNumber(name: string): number | undefined {
  const number = /^\d{10}\.log$/.test(name) ? Number.parseInt(name, 10) : undefined;
  return number !== undefined && nameOf(number) === name ? number : undefined;
}

/** Writes a file of zeroes that {@link activateSpare} makes a segment of. Does not block. */
export async function prepareSpare(directory: string, bytes: number): Promise<void> {
  const file = await open(sparePath(directory), "w", 0o600);
  try {
    for (let offset = 0; offset < bytes; offset += zeroes.length) {
      const { bytesWritten } = await file.write(zeroes, 0, Math.min(zeroes.length, bytes - offset), offset);
      if (bytesWritten === 0) throw new Error(`${sparePath(directory)} takes no more bytes`);
      await file.datasync();
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The prepared file becomes a segment: complete under its name, or not there. */
export function activateSpare(directory: string, header: SegmentHeader): OpenSegment {
  const descriptor = openSync(sparePath(directory), "r+");
  try {
    writeAll(descriptor, encodeHeader(header), 0);
    fdatasyncSync(descriptor);
    renameSync(sparePath(directory), segmentPath(directory, header.number));
    syncDirectory(directory);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return { descriptor, number: header.number, bytes: header.bytes };
}

export function openSegment(directory: string, number: number): OpenSegment {
  const descriptor = openSync(segmentPath(directory, number), "r+");
  return { descriptor, number, bytes: readFully(descriptor, segmentHeaderBytes).readUInt32BE(12) };
}

/**
 * The whole file, once its header and its size are right. Throws {@link DamageError}, or StartupError for a
 * newer format, of which only the beginning of the header is judged.
 */
export function readSegment(directory: string, number: number): { header: SegmentHeader; content: Buffer } {
  const content = readFileSync(segmentPath(directory, number));
  const what = `the segment ${nameOf(number)} of the log`;
  const header = decodeHeader(content);
  if (header === undefined) throw new DamageError(`the beginning of ${what} is not what was written`);
  if (header.format > formatVersion) throw newerSegment(`${what} in ${directory}`, header.format);
  if (header.number !== number)
    throw new DamageError(`${what} is number ${String(header.number)} by its header`);
  if (header.bytes !== content.length) {
    throw new DamageError(`${what} has ${String(content.length)} bytes, not ${String(header.bytes)}`);
  }
  return { header, content };
}

/** Bytes from `from` up to `to` of a segment. */
export function readRange(path: string, from: number, to: number): Buffer {
  const descriptor = openSync(path, "r");
  try {
    return readFully(descriptor, to - from, from);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes all bytes, however many calls it takes. */
export function writeAll(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
  }
}

/** Makes new names in a directory survive a power cut. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The same on another thread. */
export async function syncDirectoryElsewhere(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function readFully(descriptor: number, bytes: number, position = 0): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let done = 0; done < bytes; ) {
    const count = readSync(descriptor, buffer, done, bytes - done, position + done);
    if (count === 0) throw new DamageError("a segment of the log is cut short");
    done += count;
  }
  return buffer;
}

function encodeHeader({ format, bytes, identity, number, chain }: SegmentHeader): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  header.set(magic, 0);
  header.writeUInt32BE(format, 8);
  header.writeUInt32BE(bytes, 12);
  header.writeBigUInt64BE(identity.clusterId, 16);
  header.writeBigUInt64BE(identity.memberId, 24);
  writeCount(header, number, 32);
  header.writeUInt32BE(chain, 40);
  header.writeUInt32BE(crc32(header.subarray(0, 44)), 44);
  return header;
}

function decodeHeader(content: Buffer): SegmentHeader | undefined {
  if (content.length < segmentHeaderBytes || !content.subarray(0, magic.length).equals(magic))
    return undefined;
  if (crc32(content.subarray(0, 44)) !== content.readUInt32BE(44)) return undefined;
  const format = content.readUInt32BE(8);
  // A newer one may have a use for what is zero in ours.
  const isRestZero = isZero(content.subarray(usedHeaderBytes, segmentHeaderBytes));
  if (format <= formatVersion && !isRestZero) return undefined;
  return {
    format,
    bytes: content.readUInt32BE(12),
    identity: { clusterId: content.readBigUInt64BE(16), memberId: nodeId(content.readBigUInt64BE(24)) },
    number: readCount(content, 32),
    chain: content.readUInt32BE(40),
  };
}
