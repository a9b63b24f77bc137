/**
 * The few records beside the state machine's, body by body; each is followed by its checksum.
 *
 *   identity    0  format of everything in this directory     marker    0  number of the oldest marker kept
 *               4  cluster id                                           8  applied index
 *              12  member id                                           16  number of the newest record that
 *                                                                          was durable in the log by then
 *   members     JSON: [{ id, name, peerAddress }], the id as 16 hexadecimal digits
 *
 * Log and state bear witness for each other: a marker says how far the log had come, a record of the log
 * how far the state (log/record.ts). If either has lost its end, the other one knows.
 */
import { logIndex, nodeId, type LogIndex } from "@dkv/raft";
import { seal, unseal } from "../checksum.ts";
import { countBytes, readCount, writeCount } from "../count.ts";
import { DamageError } from "../damage.ts";
import { markerKey, metaKeys } from "./keyspace.ts";
import { formatVersion, type Identity, type MemberRecord } from "../storage.ts";

/** One record as it goes to the disk. */
export interface Sealed {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export function sealIdentity(identity: Identity): Sealed {
  const body = Buffer.alloc(20);
  body.writeUInt32BE(formatVersion, 0);
  body.writeBigUInt64BE(identity.clusterId, 4);
  body.writeBigUInt64BE(identity.memberId, 12);
  return { key: metaKeys.identity, value: seal(metaKeys.identity, body) };
}

export function unsealIdentity(value: Buffer): { readonly format: number; readonly identity: Identity } {
  const body = sized(unseal(metaKeys.identity, value, "the identity record"), 20, "the identity record");
  const identity = { clusterId: body.readBigUInt64BE(4), memberId: nodeId(body.readBigUInt64BE(12)) };
  return { format: body.readUInt32BE(0), identity };
}

export function sealMembers(members: readonly MemberRecord[]): Sealed {
  const rows = members.map(({ id, name, peerAddress }) => ({ id: hexId(id), name, peerAddress }));
  return { key: metaKeys.members, value: seal(metaKeys.members, Buffer.from(JSON.stringify(rows))) };
}

export function unsealMembers(value: Buffer): readonly MemberRecord[] {
  const rows: unknown = JSON.parse(unseal(metaKeys.members, value, "the record of members").toString());
  if (!Array.isArray(rows) || !rows.every(isMemberRow))
    throw new DamageError("the record of members is not a list of members");
  return rows.map(({ id, name, peerAddress }) => ({ id: nodeId(BigInt(`0x${id}`)), name, peerAddress }));
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

interface MemberRow {
  readonly id: string;
  readonly name: string;
  readonly peerAddress: string;
}

function isMemberRow(row: unknown): row is MemberRow {
  if (typeof row !== "object" || row === null) return false;
  if (!("id" in row && "name" in row && "peerAddress" in row)) return false;
  const { id, name, peerAddress } = row;
  return (
    typeof id === "string" &&
    /^[0-9a-f]{16}$/.test(id) &&
    typeof name === "string" &&
    typeof peerAddress === "string"
  );
}

function sized(body: Buffer, bytes: number, what: string): Buffer {
  if (body.length !== bytes)
    throw new DamageError(`${what} has ${String(body.length)} bytes, not ${String(bytes)}`);
  return body;
}
