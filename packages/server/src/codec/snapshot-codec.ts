/**
 * What goes to and fro on a connection for a snapshot, in frames with their length in front. Header, chunks
 * and trailer are bytes here.
 */
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { SnapshotAnswerSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { term, type Term } from "@dkv/raft";
import { DecodeError } from "./decode-error.ts";
import { message1, message2, message3, number1 } from "./tags.ts";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

/** From the side that has the snapshot. */
export type SnapshotFrame =
  /** The first: `term` is that of the leader who sends it. */
  | { readonly kind: "offer"; readonly term: Term; readonly header: Uint8Array }
  | { readonly kind: "chunk"; readonly chunk: Uint8Array }
  | { readonly kind: "trailer"; readonly trailer: Uint8Array };

/** From the side that gets it. */
export type SnapshotAnswer =
  /** So many chunks, from the first on, are on its disk; as the answer to an offer: send what follows. */
  | { readonly kind: "received"; readonly chunks: number }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "complete" };

/** Tags, lengths and a term, generously. */
const overheadBytes = 64;

/** Encodes with the length in front. By hand, so that a chunk is copied once. */
export function encodeSnapshotFrame(frame: SnapshotFrame): Buffer {
  switch (frame.kind) {
    case "offer": {
      const writer = new WireWriter(overheadBytes + frame.header.length);
      const end = writer.mark();
      writer.bytes(2, frame.header);
      writer.count(1, frame.term);
      writer.message(1, end);
      return writer.finishFrame();
    }
    case "chunk":
      return bytesFrame(2, frame.chunk);
    case "trailer":
      return bytesFrame(3, frame.trailer);
  }
}

function bytesFrame(field: number, bytes: Uint8Array): Buffer {
  const writer = new WireWriter(overheadBytes + bytes.length);
  writer.bytes(field, bytes);
  return writer.finishFrame();
}

/** Decodes without the length; what it holds are views into `bytes`. Throws a DecodeError. */
export function decodeSnapshotFrame(bytes: Uint8Array): SnapshotFrame {
  const reader = new WireReader(bytes);
  let frame: SnapshotFrame | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const read = readContent(reader, tag);
    if (read !== undefined && frame !== undefined)
      throw new DecodeError("a frame of a snapshot holds more than one thing");
    frame ??= read;
  }
  if (frame === undefined) throw new DecodeError("a frame of a snapshot is of no known kind");
  return frame;
}

function readContent(reader: WireReader, tag: number): SnapshotFrame | undefined {
  if (tag === message1) return readOffer(reader);
  if (tag === message2) return { kind: "chunk", chunk: reader.bytes() };
  if (tag === message3) return { kind: "trailer", trailer: reader.bytes() };
  reader.skip(tag);
  return undefined;
}

function readOffer(reader: WireReader): SnapshotFrame {
  const outer = reader.enter();
  let ofTerm = 0;
  let header: Uint8Array = new Uint8Array();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === number1) ofTerm = reader.entryCount();
    else if (tag === message2) header = reader.bytes();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { kind: "offer", term: term(ofTerm), header };
}

/** Encodes with the length in front. */
export function encodeSnapshotAnswer(answer: SnapshotAnswer): Buffer {
  const message = toBinary(
    SnapshotAnswerSchema,
    create(SnapshotAnswerSchema, { content: contentOf(answer) }),
  );
  const header = Buffer.alloc(4);
  header.writeUInt32BE(message.length);
  return Buffer.concat([header, message]);
}

function contentOf(
  answer: SnapshotAnswer,
): NonNullable<MessageInitShape<typeof SnapshotAnswerSchema>["content"]> {
  switch (answer.kind) {
    case "received":
      return { case: "received", value: BigInt(answer.chunks) };
    case "refused":
      return { case: "refusal", value: answer.reason };
    case "complete":
      return { case: "complete", value: {} };
  }
}

/** Decodes without the length. Throws a DecodeError. */
export function decodeSnapshotAnswer(bytes: Uint8Array): SnapshotAnswer {
  const { content } = parseAnswer(bytes);
  switch (content.case) {
    case "received": {
      const chunks = Number(content.value);
      if (!Number.isSafeInteger(chunks)) throw new DecodeError("more chunks were received than there can be");
      return { kind: "received", chunks };
    }
    case "refusal":
      return { kind: "refused", reason: content.value };
    case "complete":
      return { kind: "complete" };
    case undefined:
      throw new DecodeError("an answer to a snapshot is of no known kind");
  }
}

function parseAnswer(bytes: Uint8Array) {
  try {
    return fromBinary(SnapshotAnswerSchema, bytes);
  } catch (error) {
    throw new DecodeError("an answer to a snapshot makes no sense", { cause: error });
  }
}
