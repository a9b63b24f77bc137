/** The answers of a stream as gRPC frames: those of one turn in one buffer. */
import { create, toBinary } from "@bufbuild/protobuf";
import { PipeResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import { prefixBytes } from "../../arriving-message.ts";
import type { DeleteAnswer, GetAnswer, SetAnswer } from "../answers.ts";
import { FrameEncoder, writeVarint } from "../frames.ts";
import type { PipeAnswer } from "./operations.ts";

/** An answer, and whose it is. */
export type Settled =
  | { readonly kind: "get"; readonly id: number; readonly answer: GetAnswer }
  | { readonly kind: "set"; readonly id: number; readonly answer: SetAnswer }
  | { readonly kind: "delete"; readonly id: number; readonly answer: DeleteAnswer }
  | { readonly kind: "general"; readonly answer: PipeAnswer };

/** Tags of PipeResponse: field number and wire type. */
const tags = { id: 0x08, get: 0x12, set: 0x1a, delete: 0x22 } as const;

/** Of an encoded message: the bytes around the answer in it are written in front of it. */
interface Piece {
  /** 0 if the message is all of the response. */
  readonly tag: number;
  readonly id: number;
  readonly message: Buffer;
}

/** Writes the very bytes that protobuf-es does; a property test compares them. */
export class AnswerFrames {
  readonly #frames = new FrameEncoder();

  encode(list: readonly Settled[]): Buffer {
    const pieces = list.map((settled) => this.#piece(settled));
    let bytes = 0;
    for (const piece of pieces) bytes += prefixBytes + contentBytes(piece);
    const target = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const piece of pieces) at = writePiece(target, piece, at);
    return target;
  }

  #piece(settled: Settled): Piece {
    switch (settled.kind) {
      case "get":
        return { tag: tags.get, id: settled.id, message: withoutPrefix(this.#frames.get(settled.answer)) };
      case "set":
        return { tag: tags.set, id: settled.id, message: withoutPrefix(this.#frames.set(settled.answer)) };
      case "delete":
        return {
          tag: tags.delete,
          id: settled.id,
          message: withoutPrefix(this.#frames.delete(settled.answer)),
        };
      case "general": {
        const message = toBinary(PipeResponseSchema, create(PipeResponseSchema, settled.answer));
        return { tag: 0, id: 0, message: Buffer.from(message.buffer, message.byteOffset, message.length) };
      }
    }
  }
}

const withoutPrefix = (frame: Buffer): Buffer => frame.subarray(prefixBytes);

function contentBytes({ tag, id, message }: Piece): number {
  if (tag === 0) return message.length;
  return (id === 0 ? 0 : 1 + varintBytes(id)) + 1 + varintBytes(message.length) + message.length;
}

function writePiece(target: Buffer, piece: Piece, start: number): number {
  const { tag, id, message } = piece;
  target[start] = 0;
  let at = target.writeUInt32BE(contentBytes(piece), start + 1);
  if (tag !== 0) {
    if (id !== 0) {
      target[at] = tags.id;
      at = writeVarint(target, id, at + 1);
    }
    target[at] = tag;
    at = writeVarint(target, message.length, at + 1);
  }
  target.set(message, at);
  return at + message.length;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}
