import type { KeyValue } from "@dkv/store";
import type { BackwardWriter } from "../../dkv-v1/encoding/backward-writer.ts";

/** Roughly what a key takes beside its key and value. */
export const historyBytes = 40;

/** A mvccpb.KeyValue as a field. */
export function writeKeyValue(writer: BackwardWriter, field: number, found: KeyValue): void {
  const { length } = writer;
  writer.lease(6, found.lease);
  writer.bytes(5, found.value);
  writer.count(4, found.version);
  writer.count(3, found.modRevision);
  writer.count(2, found.createRevision);
  writer.bytes(1, found.key);
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
