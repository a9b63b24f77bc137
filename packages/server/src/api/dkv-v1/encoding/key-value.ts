import { isUtf8 } from "node:buffer";
import type { KeyValue } from "@dkv/store";
import type { BackwardWriter } from "./backward-writer.ts";

/** Roughly what a key takes beside its key and value. */
export const historyBytes = 40;

/** A key with its value and history, as a field. */
export function writeKeyValue(writer: BackwardWriter, field: number, found: KeyValue): void {
  const { length } = writer;
  const isText = isUtf8(found.key);
  if (!isText) writer.bytes(7, found.key);
  writer.lease(6, found.lease);
  writer.count(5, found.version);
  writer.count(4, found.modRevision);
  writer.count(3, found.createRevision);
  writer.bytes(2, found.value);
  if (isText) writer.bytes(1, found.key);
  writer.message(field, length);
}

/** Several of them, one field each. */
export function writeKeyValues(writer: BackwardWriter, field: number, list: readonly KeyValue[]): void {
  for (let at = list.length - 1; at >= 0; at -= 1) {
    const found = list[at];
    if (found !== undefined) writeKeyValue(writer, field, found);
  }
}

/** Bytes that keys will take, roughly. */
export function keyValueBytes(list: readonly KeyValue[]): number {
  let bytes = 0;
  for (const { key, value } of list) bytes += historyBytes + key.length + value.length;
  return bytes;
}
