/**
 * Transactions as bytes: a dkv.peer.v1.Command with a TxnCommand, written out, for much of the load is
 * transactions. The general encoder takes some three times as long. A property test holds one against the
 * other.
 */
import type { CommandId } from "./command.ts";
import type { DeleteCommand, RangeOperation, SetCommand, TxnCommand, TxnOperation } from "./operation.ts";

type Compare = TxnCommand["compares"][number];

/** Pieces of a message, to be put together when all of them are there. */
class Pieces {
  readonly #list: Uint8Array[] = [];
  #bytes = 0;

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.always(field, value);
  }

  /** Also if there is nothing in it: a message, or a member of a oneof. */
  always(field: number, value: Uint8Array): void {
    this.#push(head((field << 3) | 2, value.length));
    this.#push(value);
  }

  number(field: number, value: bigint | number): void {
    if (value !== 0n && value !== 0) this.alwaysNumber(field, value);
  }

  alwaysNumber(field: number, value: bigint | number): void {
    this.#push(head(field << 3, value));
  }

  fixed64(field: number, value: bigint): void {
    const bytes = Buffer.allocUnsafe(9);
    bytes[0] = (field << 3) | 1;
    bytes.writeBigUInt64LE(value, 1);
    this.#push(bytes);
  }

  flag(field: number, value: boolean): void {
    if (value) this.alwaysNumber(field, 1);
  }

  whole(): Uint8Array {
    return Buffer.concat(this.#list, this.#bytes);
  }

  #push(piece: Uint8Array): void {
    this.#list.push(piece);
    this.#bytes += piece.length;
  }
}

/** A tag below 128, and the number behind it. */
function head(tag: number, value: bigint | number): Uint8Array {
  if (typeof value === "number" && value < 0x80) return Uint8Array.of(tag, value);
  const bytes = [tag];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

export function encodeTxnCommand({ proposer, sequence }: CommandId, txn: TxnCommand): Uint8Array {
  const pieces = new Pieces();
  pieces.fixed64(1, proposer);
  pieces.number(2, sequence);
  pieces.always(7, encodeTxn(txn));
  return pieces.whole();
}

function encodeTxn({ compares, success, failure, maxAnswerBytes }: TxnCommand): Uint8Array {
  const pieces = new Pieces();
  for (const compare of compares) pieces.always(1, encodeCompare(compare));
  for (const operation of success) pieces.always(2, encodeOperation(operation));
  for (const operation of failure) pieces.always(3, encodeOperation(operation));
  pieces.number(4, maxAnswerBytes);
  return pieces.whole();
}

function encodeOperation({ operation }: TxnOperation): Uint8Array {
  const pieces = new Pieces();
  switch (operation.case) {
    case "range":
      pieces.always(1, encodeRange(operation.value));
      break;
    case "set":
      pieces.always(2, encodeSet(operation.value));
      break;
    case "delete":
      pieces.always(3, encodeDelete(operation.value));
      break;
    case "txn":
      pieces.always(4, encodeTxn(operation.value));
      break;
    case undefined:
  }
  return pieces.whole();
}

function encodeCompare({ key, rangeEnd, relation, target }: Compare): Uint8Array {
  const pieces = new Pieces();
  pieces.bytes(1, key);
  pieces.bytes(2, rangeEnd);
  pieces.number(3, relation);
  switch (target.case) {
    case "version":
      pieces.alwaysNumber(4, target.value);
      break;
    case "createRevision":
      pieces.alwaysNumber(5, target.value);
      break;
    case "modRevision":
      pieces.alwaysNumber(6, target.value);
      break;
    case "value":
      pieces.always(7, target.value);
      break;
    case "lease":
      pieces.alwaysNumber(8, target.value);
      break;
    case undefined:
  }
  return pieces.whole();
}

function encodeSet(set: SetCommand): Uint8Array {
  const pieces = new Pieces();
  pieces.bytes(1, set.key);
  pieces.bytes(2, set.value);
  pieces.number(3, set.lease);
  pieces.number(4, set.grantTtl);
  pieces.flag(5, set.wantPrevious);
  pieces.flag(6, set.keepValue);
  pieces.flag(7, set.keepLease);
  return pieces.whole();
}

function encodeDelete({ key, rangeEnd, wantPrevious }: DeleteCommand): Uint8Array {
  const pieces = new Pieces();
  pieces.bytes(1, key);
  pieces.bytes(2, rangeEnd);
  pieces.flag(3, wantPrevious);
  return pieces.whole();
}

function encodeRange(range: RangeOperation): Uint8Array {
  const pieces = new Pieces();
  pieces.bytes(1, range.key);
  pieces.bytes(2, range.rangeEnd);
  pieces.number(3, range.limit);
  pieces.number(4, range.revision);
  pieces.number(5, range.order);
  pieces.number(6, range.target);
  pieces.flag(7, range.keysOnly);
  pieces.flag(8, range.countOnly);
  pieces.number(9, range.minModRevision);
  pieces.number(10, range.maxModRevision);
  pieces.number(11, range.minCreateRevision);
  pieces.number(12, range.maxCreateRevision);
  return pieces.whole();
}
