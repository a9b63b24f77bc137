/**
 * What stored records are in etcd's database, whose tables are key, lease, meta and those of users and roles
 * among others. Only what clients can see goes there: facts and indexes etcd makes of the history by itself.
 */
import { type AuthEntry, authEntries } from "../auth/auth-entries.ts";
import { decodeAuth } from "../auth/auth-record.ts";
import { decodeChange } from "../keyspace/change-record.ts";
import { type Compaction, decodeCompaction } from "../keyspace/compaction-record.ts";
import { decodeLease, type Lease, leaseIn } from "../keyspace/lease-records.ts";
import { prefixes } from "../keyspace/prefixes.ts";
import type { StoredRecord } from "../storage.ts";
import type { LeaseId } from "../version.ts";
import { etcdRecord } from "./hash.ts";

export interface EtcdEntry {
  readonly table: "key" | "lease" | "meta" | AuthEntry["table"];
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const placeBytes = 17;

/**
 * None for most kinds of records. Entries of a table come in the order of their keys when records do. Throws
 * DamagedRecordError.
 */
export function etcdEntriesOf([key, record]: StoredRecord): readonly EtcdEntry[] {
  switch (key[0]) {
    case prefixes.change:
      return [changeEntry(key, record)];
    case prefixes.lease:
      return [leaseEntry(leaseIn(key), decodeLease(key, record))];
    case prefixes.compaction:
      return compactionEntries(decodeCompaction(record));
    case prefixes.auth:
      return authEntries(decodeAuth(record));
    default:
      return [];
  }
}

function changeEntry(key: Uint8Array, record: Uint8Array): EtcdEntry {
  const change = decodeChange(key, record);
  const both = etcdRecord(change);
  const keyEnd = change.made.isDeleted ? placeBytes + 1 : placeBytes;
  return { table: "key", key: both.subarray(0, keyEnd), value: both.subarray(keyEnd) };
}

/** A leasepb.Lease: id, and seconds granted and left. */
function leaseEntry(id: LeaseId, { grantedTtl, remainingTtl }: Lease): EtcdEntry {
  const key = Buffer.alloc(8);
  key.writeBigInt64BE(id);
  const fields = [id, grantedTtl, remainingTtl];
  const value = Buffer.concat(fields.map((number, at) => varintField(at + 1, BigInt.asUintN(64, number))));
  return { table: "lease", key, value };
}

function varintField(field: number, value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0);
  const bytes = [field << 3];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** What is scheduled and not finished, etcd goes on with when it starts. */
function compactionEntries({ revision, isRemoved }: Compaction): readonly EtcdEntry[] {
  const value = Buffer.alloc(placeBytes);
  value.writeBigUInt64BE(BigInt(revision));
  value[8] = 0x5f;
  const names = isRemoved ? ["finishedCompactRev", "scheduledCompactRev"] : ["scheduledCompactRev"];
  return names.map((name) => ({ table: "meta", key: Buffer.from(name), value }));
}
