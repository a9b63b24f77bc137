/**
 * The few records beside the state machine's, body by body; each is followed by its checksum.
 *
 *   identity    0  format of everything in this directory     marker    0  number of the oldest marker kept
 *               4  cluster id                                           8  applied index
 *              12  member id                                           16  number of the newest record that
 *              20  incarnation                                             was durable in the log by then
 *              28  name, in UTF-8
 *
 *   base        0  index of the entry before the log's first one      16  number of the log's first segment
 *               8  its term                                           24  number of its first record
 *              32  checksum that this record continues
 *              36  index of the entry that made the configuration in force there
 *              44  that configuration, as @dkv/raft encodes it
 *
 * Log and state bear witness for each other: a marker says how far the log had come, a record of the log
 * how far the state (log/record.ts). If either has lost its end, the other one knows.
 */
import {
  decodeConfiguration,
  encodeConfiguration,
  logIndex,
  nodeId,
  term,
  type Configuration,
  type LogIndex,
} from "@dkv/raft";
import { countBytes, writeCount } from "@dkv/store";
import { seal, unseal } from "../checksum.ts";
import { readCount } from "../count.ts";
import { DamageError } from "../damage.ts";
import type { LogBase } from "../log/log-base.ts";
import { formatVersion, type StoredOwner } from "../storage.ts";
import { markerKey, metaKeys } from "./keyspace.ts";

/** One record as it goes to the disk. */
export interface Sealed {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const identityHeaderBytes = 28;

export function sealIdentity({ clusterId, memberId, incarnation, name }: StoredOwner): Sealed {
  const body = Buffer.alloc(identityHeaderBytes + Buffer.byteLength(name));
  body.writeUInt32BE(formatVersion, 0);
  body.writeBigUInt64BE(clusterId, 4);
  body.writeBigUInt64BE(memberId, 12);
  body.writeBigUInt64BE(incarnation, 20);
  body.write(name, identityHeaderBytes);
  return { key: metaKeys.identity, value: seal(metaKeys.identity, body) };
}

export interface StoredIdentity {
  readonly format: number;
  /** Undefined if the format is another one: what stands behind it may mean anything then. */
  readonly owner: StoredOwner | undefined;
}

export function unsealIdentity(value: Buffer): StoredIdentity {
  const what = "the identity record";
  const body = atLeast(unseal(metaKeys.identity, value, what), 4, what);
  const format = body.readUInt32BE(0);
  if (format !== formatVersion) return { format, owner: undefined };
  const whole = atLeast(body, identityHeaderBytes, what);
  const owner = {
    clusterId: whole.readBigUInt64BE(4),
    memberId: nodeId(whole.readBigUInt64BE(12)),
    incarnation: whole.readBigUInt64BE(20),
    name: whole.toString("utf8", identityHeaderBytes),
  };
  return { format, owner };
}

const baseHeaderBytes = 44;

export function sealBase({ last, configuration, segment, record, chain }: LogBase): Sealed {
  const header = Buffer.allocUnsafe(baseHeaderBytes);
  writeCount(header, last.index, 0);
  writeCount(header, last.term, 8);
  writeCount(header, segment, 16);
  writeCount(header, record, 24);
  header.writeUInt32BE(chain, 32);
  writeCount(header, configuration.index, 36);
  const body = Buffer.concat([header, encodeConfiguration(configuration.configuration)]);
  return { key: metaKeys.base, value: seal(metaKeys.base, body) };
}

export function unsealBase(value: Buffer): LogBase {
  const what = "the record of where the log begins";
  const body = atLeast(unseal(metaKeys.base, value, what), baseHeaderBytes, what);
  return {
    last: { index: logIndex(readCount(body, 0)), term: term(readCount(body, 8)) },
    segment: readCount(body, 16),
    record: readCount(body, 24),
    chain: body.readUInt32BE(32),
    configuration: {
      index: logIndex(readCount(body, 36)),
      configuration: configurationIn(body.subarray(baseHeaderBytes), what),
    },
  };
}

function configurationIn(bytes: Buffer, what: string): Configuration {
  try {
    return decodeConfiguration(Uint8Array.from(bytes));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DamageError(`${what} has no configuration: ${error.message}`, { cause: error });
  }
}

/** Stands for one batch: as long as its marker is there, the batch is. */
export interface Marker {
  readonly batch: number;
  /** Markers run without a gap from this one. */
  readonly oldestKept: number;
  readonly appliedIndex: LogIndex;
  /** The log is known to be durable up to this record of it. */
  readonly durableRecord: number;
}

const markerBytes = 3 * countBytes;

export function sealMarker({ batch, oldestKept, appliedIndex, durableRecord }: Marker): Sealed {
  const body = Buffer.allocUnsafe(markerBytes);
  writeCount(body, oldestKept, 0);
  writeCount(body, appliedIndex, 8);
  writeCount(body, durableRecord, 16);
  const key = markerKey(batch);
  return { key, value: seal(key, body) };
}

export function unsealMarker(batch: number, value: Buffer): Marker {
  const what = `the marker of batch ${String(batch)}`;
  const body = sized(unseal(markerKey(batch), value, what), markerBytes, what);
  return {
    batch,
    oldestKept: readCount(body, 0),
    appliedIndex: logIndex(readCount(body, 8)),
    durableRecord: readCount(body, 16),
  };
}

export const hexId = (id: bigint): string => id.toString(16).padStart(16, "0");

function sized(body: Buffer, bytes: number, what: string): Buffer {
  if (body.length !== bytes)
    throw new DamageError(`${what} has ${String(body.length)} bytes, not ${String(bytes)}`);
  return body;
}

function atLeast(body: Buffer, bytes: number, what: string): Buffer {
  if (body.length < bytes)
    throw new DamageError(`${what} has ${String(body.length)} bytes, fewer than ${String(bytes)}`);
  return body;
}
