/**
 * A hash of the history, bit for bit that of etcd's HashKV for the same changes: a CRC-32C of the name of
 * etcd's table, and of each record as etcd stores it, in the order of the changes.
 *
 *   key    revision ‥ 5f ‥ sub-revision, 8 bytes each, big-endian; behind them 74 if it is a delete
 *   value  mvccpb.KeyValue; of a delete the key alone
 *
 * Up to the compact revision only those count that are current at the hashed revision, so that it does not
 * matter how far the removal of history has come. If no key is current there, those of the compact revision
 * count.
 */
import type { ByteString } from "../bytes.ts";
import type { Revision } from "../results.ts";
import { type Change, type Place, placeOf, type Version } from "../version.ts";
import { crc32c } from "./crc32c.ts";
import { type HistoryMoment, readHistory, readOutlines } from "./read-history.ts";

export interface HashTerms {
  /** As it is whenever it is asked: what is not on the disk may get there. */
  readonly moment: () => HistoryMoment;
  readonly compactRevision: Revision;
  /** The last one that counts. */
  readonly through: Revision;
  /** Whether no key exists there. */
  readonly isEmpty: boolean;
}

const beginning: Place = { revision: 0, sub: 0 };
const tableName = Buffer.from("key");

export async function hashHistory(terms: HashTerms): Promise<number> {
  const { moment, compactRevision, through } = terms;
  const replaced = await replacedPlaces(terms);
  let hash = crc32c(tableName);
  for await (const changes of readHistory(moment(), beginning, through)) {
    for (const change of changes) {
      const isOld = change.made.modRevision <= compactRevision;
      if (isOld && (isNoVersion(change) || replaced.has(nameOf(placeOf(change.made))))) continue;
      hash = crc32c(etcdRecord(change), hash);
    }
  }
  return hash;
}

/** Whether nothing is left of what the change has made, once its revision is complete. */
const isNoVersion = ({ made, isPassing }: Change): boolean => made.isDeleted || isPassing === true;

/** Places up to the compact revision whose version is not the one that counts. */
async function replacedPlaces({
  moment,
  compactRevision,
  through,
  isEmpty,
}: HashTerms): Promise<ReadonlySet<string>> {
  const replaced = new Set<string>();
  if (compactRevision <= 0) return replaced;
  const range = { from: beginning, through: isEmpty ? compactRevision : through };
  for await (const changes of readOutlines(moment(), range)) {
    for (const { previous } of changes)
      if (previous !== undefined && previous.revision <= compactRevision) replaced.add(nameOf(previous));
  }
  return replaced;
}

const nameOf = ({ revision, sub }: Place): string => `${String(revision)} ${String(sub)}`;

const placeBytes = 17;
const separator = 0x5f;
const deleteMark = 0x74;

/** Key and value, one behind the other. */
export function etcdRecord({ key, made }: Change): Buffer {
  const head = made.isDeleted ? placeBytes + 1 : placeBytes;
  const record = Buffer.allocUnsafe(head + valueBytes(key, made.isDeleted ? undefined : made));
  record.writeBigUInt64BE(BigInt(made.modRevision), 0);
  record[8] = separator;
  record.writeBigUInt64BE(BigInt(made.sub), 9);
  if (made.isDeleted) record[placeBytes] = deleteMark;
  let at = writeText(record, { field: 1, text: key }, head);
  if (!made.isDeleted) {
    at = writeNumber(record, { field: 2, value: BigInt(made.createRevision) }, at);
    at = writeNumber(record, { field: 3, value: BigInt(made.modRevision) }, at);
    at = writeNumber(record, { field: 4, value: BigInt(made.version) }, at);
    at = writeText(record, { field: 5, text: made.value }, at);
    at = writeNumber(record, { field: 6, value: BigInt.asUintN(64, made.lease) }, at);
  }
  return record.subarray(0, at);
}

/** At most. */
function valueBytes(key: ByteString, version: Version | undefined): number {
  const maxNumber = 11;
  const most = maxNumber + key.length;
  return version === undefined ? most : most + 5 * maxNumber + version.value.length;
}

function writeText(
  record: Buffer,
  { field, text }: { readonly field: number; readonly text: ByteString },
  start: number,
): number {
  if (text === "") return start;
  record[start] = (field << 3) | 2;
  const at = writeVarint(record, BigInt(text.length), start + 1);
  return at + record.write(text, at, "latin1");
}

function writeNumber(
  record: Buffer,
  { field, value }: { readonly field: number; readonly value: bigint },
  start: number,
): number {
  if (value === 0n) return start;
  record[start] = field << 3;
  return writeVarint(record, value, start + 1);
}

function writeVarint(record: Buffer, value: bigint, start: number): number {
  let at = start;
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) record[at++] = Number(rest & 0x7fn) | 0x80;
  record[at++] = Number(rest);
  return at;
}
