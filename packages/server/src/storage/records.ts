/**
 * The few records beside the log, body by body; each is followed by its checksum.
 *
 *   identity    0  format of everything in this directory     marker    0  number of the oldest marker kept
 *               4  cluster id                                           8  index of the last log entry
 *              12  member id                                           16  applied index
 *                                                                      24  current term
 *   members     JSON: [{ id, name, peerAddress }],                     32  commit index
 *               the id as 16 hexadecimal digits                        40  1 if a vote was given, else 0
 *                                                                      41  voted for
 *
 * A marker says what holds once its batch is in; the newest one is the hard state. It is not a record
 * that is overwritten: LevelDB's tables keep older versions of those for a while, and one flipped byte in
 * a table could bring an older vote back to light with its checksum intact.
 */
import { logIndex, nodeId, term, type HardState, type LogIndex } from "@dkv/raft";
import { seal, unseal } from "./checksum.ts";
import { countBytes, readCount, writeCount } from "./count.ts";
import { DamageError } from "./damage.ts";
import { markerKey, metaKeys } from "./keyspace.ts";
import type { Identity, MemberRecord } from "./storage.ts";

/** Raised when what older versions wrote can no longer be read as it stands. */
export const formatVersion = 1;

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
  readonly lastIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly hardState: HardState;
}

const markerBytes = 6 * countBytes + 1;

export function sealMarker({ batch, oldestKept, lastIndex, appliedIndex, hardState }: Marker): Sealed {
  const body = Buffer.allocUnsafe(markerBytes);
  writeCount(body, oldestKept, 0);
  writeCount(body, lastIndex, 8);
  writeCount(body, appliedIndex, 16);
  writeCount(body, hardState.term, 24);
  writeCount(body, hardState.commit, 32);
  body.writeUInt8(hardState.votedFor === undefined ? 0 : 1, 40);
  body.writeBigUInt64BE(hardState.votedFor ?? 0n, 41);
  const key = markerKey(batch);
  return { key, value: seal(key, body) };
}

export function unsealMarker(batch: number, value: Buffer): Marker {
  const what = `the marker of batch ${String(batch)}`;
  const body = sized(unseal(markerKey(batch), value, what), markerBytes, what);
  return {
    batch,
    oldestKept: readCount(body, 0),
    lastIndex: logIndex(readCount(body, 8)),
    appliedIndex: logIndex(readCount(body, 16)),
    hardState: {
      term: term(readCount(body, 24)),
      votedFor: body[40] === 0 ? undefined : nodeId(body.readBigUInt64BE(41)),
      commit: logIndex(readCount(body, 32)),
    },
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
