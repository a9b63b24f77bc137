import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** The few messages of etcd's v3 API that the bench speaks, written by hand from their field numbers. */

/** PutRequest: key 1, value 2. */
export function encodePut(key: string, value: Buffer): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(key);
  writer.tag(2, WireType.LengthDelimited).bytes(value);
  return writer.finish();
}

/** RangeRequest for one key: key 1. */
export function encodeRange(key: string): Uint8Array {
  return new BinaryWriter().tag(1, WireType.LengthDelimited).string(key).finish();
}

/** RangeRequest for one key from the member's own state: key 1, serializable 7. */
export function encodeSerializableRange(key: string): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(key);
  writer.tag(7, WireType.Varint).bool(true);
  return writer.finish();
}

/**
 * TxnRequest that puts a key if it is there: compare 1 (in it result 1, target 2, key 3, version 4) and
 * success 2 (in it request_put 2).
 */
export function encodeTxn(key: string, value: Buffer): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).fork();
  // GREATER is 1, and VERSION 0.
  writer.tag(1, WireType.Varint).int32(1).tag(2, WireType.Varint).int32(0);
  writer.tag(3, WireType.LengthDelimited).string(key).tag(4, WireType.Varint).int64(0).join();
  writer.tag(2, WireType.LengthDelimited).fork();
  writer.tag(2, WireType.LengthDelimited).bytes(encodePut(key, value)).join();
  return writer.finish();
}

/** Who answered a StatusRequest, and whom it follows. 0 is nobody. */
export interface EtcdStatus {
  readonly memberId: bigint;
  readonly leaderId: bigint;
}

/** StatusResponse: header 1 (in it member_id 2), leader 4. */
export function decodeStatus(message: Uint8Array): EtcdStatus {
  const response = fieldsOf(message);
  const header = fieldsOf(response.parts.get(1) ?? new Uint8Array());
  return { memberId: header.numbers.get(2) ?? 0n, leaderId: response.numbers.get(4) ?? 0n };
}

interface Fields {
  readonly numbers: ReadonlyMap<number, bigint>;
  readonly parts: ReadonlyMap<number, Uint8Array>;
}

/** The numbers and the length-delimited parts of a message by field; the rest is passed over. */
function fieldsOf(message: Uint8Array): Fields {
  const reader = new BinaryReader(message);
  const numbers = new Map<number, bigint>();
  const parts = new Map<number, Uint8Array>();
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === WireType.Varint) numbers.set(field, BigInt(reader.uint64()));
    else if (wireType === WireType.LengthDelimited) parts.set(field, reader.bytes());
    else reader.skip(wireType, field);
  }
  return { numbers, parts };
}
