/** Turns what was applied into records for the disk. */
import { fromByteString } from "../bytes.ts";
import { changeBytes, writeChange, writeChangeKey } from "../keyspace/change-record.ts";
import {
  currentKeyBytes,
  currentRecordBytes,
  writeCurrent,
  writeCurrentKey,
} from "../keyspace/current-record.ts";
import { indexKeyBytes, indexRecordBytes, writeIndex, writeIndexKey } from "../keyspace/index-record.ts";
import { encodePosition, type Position, positionKey } from "../keyspace/position-record.ts";
import type { RecordChange } from "../storage.ts";
import { type Change, placeOf } from "../version.ts";
import type { Layer } from "./layer.ts";

/** The layer's records, then the position: whoever has the position has all that it covers. */
export function encodeLayer(layer: Layer, position: Position): readonly RecordChange[] {
  const records = new Records(bytesOf(layer));
  for (const change of layer.changes) records.addHistory(change);
  // A loop over the entries would make an array of each.
  layer.current.forEach((made, key) => {
    if (made.isDeleted) records.deleteCurrent(key);
    else records.addCurrent(key, made);
  });
  for (const [key, value] of layer.records) records.list.push({ key: fromByteString(key), value });
  // Behind what was added: it may be of this very layer.
  for (const key of layer.removed) records.list.push({ key, value: undefined });
  records.list.push({ key: positionKey, value: encodePosition(position) });
  return records.list;
}

/** One buffer for all: at thousands of writes a second an allocation for each record is what costs. */
class Records {
  readonly list: RecordChange[] = [];
  readonly #buffer: Buffer;
  #end = 0;

  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafe(bytes);
  }

  addHistory(change: Change): void {
    const place = placeOf(change.made);
    const keyEnd = writeChangeKey(this.#buffer, place, this.#end);
    this.#add(keyEnd, writeChange(this.#buffer, change, { keyOffset: this.#end, offset: keyEnd }));
    // Of several changes in one revision the last one stays.
    const index = { key: change.key, revision: place.revision };
    const indexEnd = writeIndexKey(this.#buffer, index, this.#end);
    this.#add(indexEnd, writeIndex(this.#buffer, change, { keyOffset: this.#end, offset: indexEnd }));
  }

  addCurrent(key: string, version: Parameters<typeof writeCurrent>[1]): void {
    const keyEnd = writeCurrentKey(this.#buffer, key, this.#end);
    this.#add(keyEnd, writeCurrent(this.#buffer, version, { keyOffset: this.#end, offset: keyEnd }));
  }

  deleteCurrent(key: string): void {
    const keyEnd = writeCurrentKey(this.#buffer, key, this.#end);
    this.list.push({ key: this.#buffer.subarray(this.#end, keyEnd), value: undefined });
    this.#end = keyEnd;
  }

  #add(keyEnd: number, end: number): void {
    this.list.push({
      key: this.#buffer.subarray(this.#end, keyEnd),
      value: this.#buffer.subarray(keyEnd, end),
    });
    this.#end = end;
  }
}

function bytesOf({ changes, current }: Layer): number {
  let bytes = 0;
  for (const change of changes) bytes += changeBytes(change) + indexKeyBytes(change.key) + indexRecordBytes;
  for (const key of current.keys()) bytes += currentKeyBytes(key) + currentRecordBytes;
  return bytes;
}
