/**
 * Alarms: what members have found out about one another, as a part of the state, so that it survives restarts
 * and travels in snapshots. They are few, and all of them are one record.
 *
 *   alarms, each:  0  cluster id     in the order of these bytes
 *                  8  member id
 *                 16  kind
 *
 * Ids are 64 bits, big-endian. The kind is the number that it has in command.proto; one that only a newer
 * version knows is kept as it is. There is no record while there are no alarms.
 */
import type { AlarmCommand, AlarmKind } from "@dkv/protocol/dkv/peer/v1/command";
import { prefixes } from "./keyspace/prefixes.ts";
import { DamagedRecordError, openRecord, sealRecord } from "./keyspace/record.ts";
import type { StateReader } from "./storage.ts";

export interface Alarm {
  /** Of the cluster in which it was raised. */
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly kind: AlarmKind;
}

export const alarmsKey: Uint8Array = Uint8Array.of(prefixes.alarms);

const alarmBytes = 17;
const biggestKind = 0xff;

/** The alarms after a command; the same list if it changes nothing. */
export function withAlarm(alarms: readonly Alarm[], command: AlarmCommand): readonly Alarm[] {
  const { clusterId, memberId, kind, lift } = command;
  const alarm = { clusterId, memberId, kind };
  const isThere = alarms.some((other) => compare(other, alarm) === 0);
  if (lift) return isThere ? alarms.filter((other) => compare(other, alarm) !== 0) : alarms;
  if (isThere || kind < 0 || kind > biggestKind) return alarms;
  return [...alarms, alarm].sort(compare);
}

/** Undefined if there are none: then there is no record. */
export function encodeAlarms(alarms: readonly Alarm[]): Uint8Array | undefined {
  if (alarms.length === 0) return undefined;
  const content = Buffer.allocUnsafe(alarms.length * alarmBytes);
  for (const [place, { clusterId, memberId, kind }] of alarms.entries()) {
    const offset = place * alarmBytes;
    content.writeBigUInt64BE(clusterId, offset);
    content.writeBigUInt64BE(memberId, offset + 8);
    content.writeUInt8(kind, offset + 16);
  }
  return sealRecord(alarmsKey, content);
}

/** Throws {@link DamagedRecordError}. */
export function decodeAlarms(record: Uint8Array): readonly Alarm[] {
  const content = openRecord(alarmsKey, record);
  if (content.length === 0 || content.length % alarmBytes !== 0)
    throw new DamagedRecordError("the stored record of alarms has a length that none has");
  return Array.from({ length: content.length / alarmBytes }, (_, place) => ({
    clusterId: content.readBigUInt64BE(place * alarmBytes),
    memberId: content.readBigUInt64BE(place * alarmBytes + 8),
    // It may be one that only a newer version has a name for, as in any message.
    kind: content.readUInt8(place * alarmBytes + 16) as AlarmKind,
  }));
}

/** Those of the durable state. Throws {@link DamagedRecordError}. */
export function readAlarms(reader: StateReader): readonly Alarm[] {
  const record = reader.get(alarmsKey);
  return record === undefined ? [] : decodeAlarms(record);
}

function compare(a: Alarm, b: Alarm): number {
  if (a.clusterId !== b.clusterId) return a.clusterId < b.clusterId ? -1 : 1;
  if (a.memberId !== b.memberId) return a.memberId < b.memberId ? -1 : 1;
  return a.kind - b.kind;
}
