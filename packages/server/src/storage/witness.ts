/**
 * A file beside the database that remembers how far the database has come.
 *
 * LevelDB cannot notice that its newest log file was deleted, or that the end of one was cut off: it
 * opens with what is left. So after each synced batch its number is written here, never before, and the
 * database found at a start must be at that number or beyond. The number itself is not synced: it
 * survives every death of the process, and after a power cut it is at worst too low, which proves less
 * but refuses nobody wrongly.
 *
 * The file is 1024 bytes: two slots of 512, written in turn, so that a torn write leaves the other.
 *
 *   0  "dkv\0"                8  cluster id     24  batch number
 *   4  format of directory   16  member id      32  CRC-32 of the bytes before; zeroes follow
 */
import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { nodeId } from "@dkv/raft";
import { readCount, writeCount } from "./count.ts";
import { DamageError } from "./damage.ts";
import { formatVersion } from "./records.ts";
import type { Identity } from "./storage.ts";

const magic = Buffer.from("dkv\0");
const slotBytes = 512;
const usedBytes = 36;

interface Slot {
  readonly position: 0 | 1;
  readonly format: number;
  readonly identity: Identity;
  readonly batch: number;
}

export class Witness {
  readonly identity: Identity;
  /** Format of the directory, as {@link formatVersion} was when this file was created. */
  readonly format: number;
  readonly #descriptor: number;
  readonly #buffer = Buffer.alloc(usedBytes);
  #position: 0 | 1;
  #batch: number;

  private constructor(descriptor: number, slot: Slot) {
    this.#descriptor = descriptor;
    this.identity = slot.identity;
    this.format = slot.format;
    this.#position = slot.position;
    this.#batch = slot.batch;
    encode(this.#buffer, slot.identity);
  }

  /** The newest batch known to be durable when this was last written; 0 until the first. */
  get batch(): number {
    return this.#batch;
  }

  /** Creates the file, complete and synced or not at all. */
  static create(path: string, identity: Identity): Witness {
    const unfinished = `${path}.new`;
    const descriptor = openSync(unfinished, "w+", 0o600);
    const content = Buffer.alloc(2 * slotBytes);
    encode(content, identity);
    seal(content, 0);
    writeSync(descriptor, content, 0, content.length, 0);
    fsyncSync(descriptor);
    renameSync(unfinished, path);
    syncDirectory(dirname(path));
    return new Witness(descriptor, { position: 0, format: formatVersion, identity, batch: 0 });
  }

  /** Undefined if there is none. Throws {@link DamageError} if neither slot holds what was written. */
  static open(path: string): Witness | undefined {
    if (!existsSync(path)) return undefined;
    const descriptor = openSync(path, "r+");
    const content = Buffer.alloc(2 * slotBytes);
    readSync(descriptor, content, 0, content.length, 0);
    const newest = newestSlot(content);
    if (newest === undefined) {
      closeSync(descriptor);
      throw new DamageError(
        `the file ${path}, which tells how far the database had come, is not what was written`,
      );
    }
    return new Witness(descriptor, newest);
  }

  /** Batch `batch` is durable. One small write to the page cache. */
  record(batch: number): void {
    this.#position = this.#position === 0 ? 1 : 0;
    this.#batch = batch;
    seal(this.#buffer, batch);
    writeSync(this.#descriptor, this.#buffer, 0, usedBytes, this.#position * slotBytes);
  }

  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function encode(buffer: Buffer, identity: Identity): void {
  buffer.set(magic, 0);
  buffer.writeUInt32BE(formatVersion, 4);
  buffer.writeBigUInt64BE(identity.clusterId, 8);
  buffer.writeBigUInt64BE(identity.memberId, 16);
}

function seal(buffer: Buffer, batch: number): void {
  writeCount(buffer, batch, 24);
  buffer.writeUInt32BE(crc32(buffer.subarray(0, 32)), 32);
}

function newestSlot(content: Buffer): Slot | undefined {
  const first = decode(content, 0);
  const second = decode(content, 1);
  if (first === undefined || second === undefined) return first ?? second;
  return first.batch > second.batch ? first : second;
}

function decode(content: Buffer, position: 0 | 1): Slot | undefined {
  const slot = content.subarray(position * slotBytes, position * slotBytes + usedBytes);
  if (!slot.subarray(0, magic.length).equals(magic)) return undefined;
  if (crc32(slot.subarray(0, 32)) !== slot.readUInt32BE(32)) return undefined;
  const identity = { clusterId: slot.readBigUInt64BE(8), memberId: nodeId(slot.readBigUInt64BE(16)) };
  return { position, format: slot.readUInt32BE(4), identity, batch: readCount(slot, 24) };
}

/** Makes a new name in a directory survive a power cut. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
