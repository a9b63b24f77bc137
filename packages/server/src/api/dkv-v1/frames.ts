/**
 * The answers of the hot methods as gRPC frames, written straight into one buffer: a byte that says
 * "not compressed", the length in four bytes, the message.
 *
 * protobuf-es makes a message object, then grows a buffer while it writes, then copies it: 3.5 to 5 µs for
 * a GetResponse of 256 bytes, an eighth of what a whole call costs on the fast path. This takes 0.6 µs, and
 * raised the rate of gets by a third. It writes the very bytes that protobuf-es does; a property test
 * compares them.
 */
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { DeleteResponseSchema, SetResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import { type LeaseId, noLease } from "@dkv/store";
import type { MemberStatus } from "../../consensus/member.ts";
import {
  type AnswerHeader,
  type DeleteAnswer,
  deleteResponse,
  type GetAnswer,
  type SetAnswer,
  setResponse,
} from "./answers.ts";
import { HeaderBytes } from "./encoding/header-bytes.ts";

const prefixBytes = 5;

/** Field number and wire type: 0 is a varint, 2 a length with that many bytes. */
const tag = (field: number, wireType: 0 | 2): number => (field << 3) | wireType;

/** Most bytes of a tag with a varint of 64 bits. */
const maxVarintField = 11;

export class FrameEncoder {
  readonly #headers = new HeaderBytes();

  get({ header, found }: GetAnswer): Buffer {
    const frame = this.#allocate(header.status, 5 * maxVarintField + found.value.length);
    let end = prefixBytes;
    if (found.value.length > 0) {
      frame[end++] = tag(1, 2);
      end = writeVarint(frame, found.value.length, end);
      frame.set(found.value, end);
      end += found.value.length;
    }
    end = this.#writeHeader(frame, { field: 2, header }, end);
    end = writeCount(frame, { field: 3, count: found.createRevision }, end);
    end = writeCount(frame, { field: 4, count: found.modRevision }, end);
    end = writeCount(frame, { field: 5, count: found.version }, end);
    if (found.lease !== noLease) end = writeLease(frame, { field: 6, lease: found.lease }, end);
    return finish(frame, end);
  }

  set(answer: SetAnswer): Buffer {
    const { header, previous } = answer;
    if (previous !== undefined) return generalFrame(SetResponseSchema, setResponse(answer));
    const frame = this.#allocate(header.status, 0);
    return finish(frame, this.#writeHeader(frame, { field: 1, header }, prefixBytes));
  }

  delete(answer: DeleteAnswer): Buffer {
    const { header, deleted, previous } = answer;
    if (previous !== undefined) return generalFrame(DeleteResponseSchema, deleteResponse(answer));
    const frame = this.#allocate(header.status, maxVarintField);
    const end = this.#writeHeader(frame, { field: 1, header }, prefixBytes);
    return finish(frame, writeCount(frame, { field: 2, count: deleted ? 1 : 0 }, end));
  }

  /** Room for the prefix, a header and so many bytes more. */
  #allocate(status: MemberStatus, bytes: number): Buffer {
    const headerStart = this.#headers.startOf(status);
    return Buffer.allocUnsafe(prefixBytes + headerStart.length + 3 * maxVarintField + bytes);
  }

  #writeHeader(
    frame: Buffer,
    { field, header }: { field: number; header: AnswerHeader },
    start: number,
  ): number {
    const applied = header.status.appliedIndex;
    const { revision } = header;
    const headerStart = this.#headers.startOf(header.status);
    const length = headerStart.length + countBytes(applied) + countBytes(revision);
    frame[start] = tag(field, 2);
    let end = writeVarint(frame, length, start + 1);
    frame.set(headerStart, end);
    end += headerStart.length;
    end = writeCount(frame, { field: 5, count: applied }, end);
    return writeCount(frame, { field: 6, count: revision }, end);
  }
}

/** Writes a field that counts something. Proto3 leaves out fields that are 0. */
function writeCount(
  frame: Buffer,
  { field, count }: { field: number; count: number },
  start: number,
): number {
  if (count === 0) return start;
  frame[start] = tag(field, 0);
  return writeVarint(frame, count, start + 1);
}

/** Writes a field of 64 bits, as a number without a sign. */
function writeLease(
  frame: Buffer,
  { field, lease }: { field: number; lease: LeaseId },
  start: number,
): number {
  frame[start] = tag(field, 0);
  let end = start + 1;
  let rest = BigInt.asUintN(64, lease);
  for (; rest > 0x7fn; rest >>= 7n) frame[end++] = Number(rest & 0x7fn) | 0x80;
  frame[end++] = Number(rest);
  return end;
}

/** For answers that are too rare to be written out. */
function generalFrame<Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Buffer {
  const message = toBinary(schema, create(schema, init));
  const frame = Buffer.allocUnsafe(prefixBytes + message.length);
  frame.set(message, prefixBytes);
  return finish(frame, frame.length);
}

/** Bytes that writeCount writes. */
function countBytes(count: number): number {
  if (count === 0) return 0;
  let bytes = 2;
  for (let rest = count; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** Returns where the varint ends. Right for whole numbers up to 2^53. */
export function writeVarint(frame: Buffer, value: number, start: number): number {
  let end = start;
  let rest = value;
  // Bit operations see 32 bits only.
  for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 0x80)) frame[end++] = (rest % 0x80) | 0x80;
  for (; rest > 0x7f; rest >>>= 7) frame[end++] = (rest & 0x7f) | 0x80;
  frame[end++] = rest;
  return end;
}

function finish(frame: Buffer, end: number): Buffer {
  frame[0] = 0;
  frame.writeUInt32BE(end - prefixBytes, 1);
  return frame.subarray(0, end);
}
