import { assert } from "../assert.ts";
import { frameMessage } from "../grpc/message.ts";
import { Random } from "./random.ts";
import { type DoorName, doorNames, type SocketMethod } from "./socket-method.ts";

/**
 * Set a key; read it so that every acknowledged set is seen; read it from one member's own state; set it in a
 * transaction if it is there; set one and read nine; set it on a stream of many operations, where there is
 * such a thing.
 */
const callNames = ["set", "get", "serializable-get", "txn", "mixed", "pipe"] as const;
type CallName = (typeof callNames)[number];

/** Those, and to set it by a protocol of commands on a connection of its own. */
export const workNames = [...callNames, ...doorNames] as const;
export type WorkName = (typeof workNames)[number];

/** How one system is asked to do each work. One that lacks a protocol is asked by calls. */
export type Methods = Readonly<Record<CallName, Method> & Record<DoorName, Method | SocketMethod>>;

/** How one system is asked to do one work. */
export interface Method {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Encodes a request. Requests for keys and values of equal length must have equal length. */
  readonly encode: (key: string, value: Buffer) => Uint8Array;
  /** An answer with a shorter message is an error: a read that found nothing. */
  readonly leastAnswerBytes: number;
  /** What is wrong with an answer; without it only its length is looked at. */
  readonly problemIn?: (message: Buffer) => string | undefined;
  /** One of so many calls, by chance, is one of these. */
  readonly rare?: { readonly method: Method; readonly outOf: number };
  /** As {@link SocketMethod.setsOnce}, for a fair comparison. */
  readonly setsOnce?: true;
  /** With it requests are operations on one stream, and not calls of their own. */
  readonly piped?: Piping;
}

/** One set to nine reads. */
export const mixedOf = (set: Method, get: Method): Method => ({ ...get, rare: { method: set, outOf: 10 } });

/** How operations share a stream. */
export interface Piping {
  /** As {@link Method.encode}, with the number that comes back with the answer. */
  readonly encode: (id: number, key: string, value: Buffer) => Uint8Array;
  /** Whose answer a message is, and what is wrong with it. */
  readonly read: (source: Buffer, start: number, end: number) => PipedAnswer;
}

export interface PipedAnswer {
  readonly id: number;
  readonly problem: string | undefined;
}

/** Keys are written in hexadecimal, two characters for each of these. */
const keyBytes = 8;
const newKeysSeed = 0x5e_ed_0f_05;

const hexadecimal = (number: number): string => number.toString(16).padStart(keyBytes, "0");

/** The keys and values of a run; equal seeds give equal data. */
export class Data {
  readonly keys: readonly Buffer[];
  readonly valueBytes: number;
  readonly random: Random;
  readonly #newKeys: Random;
  /** Values are windows of this, so that neither system can gain by compressing repeats. */
  readonly #noise: Buffer;

  constructor(size: { readonly keys: number; readonly valueBytes: number; readonly seed: number }) {
    this.random = new Random(size.seed);
    this.keys = Array.from({ length: size.keys }, () =>
      Buffer.from(this.random.bytes(keyBytes).toString("hex")),
    );
    this.valueBytes = size.valueBytes;
    this.#noise = this.random.bytes(1024 * 1024 + size.valueBytes);
    this.#newKeys = new Random(size.seed ^ newKeysSeed);
  }

  /** For a request: a new one if each can be set once only. */
  nextKey(setsOnce: boolean): Buffer {
    const key = setsOnce ? this.#newKey() : this.keys[this.random.below(this.keys.length)];
    assert(key !== undefined, "there is a key");
    return key;
  }

  writeValue(target: Buffer, offset: number): void {
    const start = this.random.below(this.#noise.length - this.valueBytes);
    this.#noise.copy(target, offset, start, start + this.valueBytes);
  }

  /** One that was not given out before, and is not among {@link keys}: there are 500 million of them. */
  #newKey(): Buffer {
    const [head, tail] = [this.#newKeys.below(2 ** 32), this.#newKeys.below(2 ** 32)];
    return Buffer.from(hexadecimal(head) + hexadecimal(tail), "latin1");
  }
}

/**
 * Makes request bodies by putting a key and a value into a ready-made one.
 *
 * Protobuf of fields of fixed length is a fixed text with holes; encoding it anew for each call would be most
 * of what this client does.
 */
export class RequestBody {
  readonly bytes: number;
  readonly #template: Buffer;
  /** A transaction names its key twice. */
  readonly #keyOffsets: readonly number[];
  /** Undefined when the request holds no value. */
  readonly #valueOffset: number | undefined;
  readonly #data: Data;

  /** @param frame what goes around a request; that of gRPC unless given */
  constructor(
    method: Pick<Method, "encode">,
    data: Data,
    frame: (message: Uint8Array) => Buffer = frameMessage,
  ) {
    const key = Buffer.alloc(data.keys[0]?.length ?? 0, "k");
    const value = Buffer.alloc(data.valueBytes, "v");
    this.#template = frame(method.encode(key.toString(), value));
    this.#keyOffsets = offsetsOf(key, this.#template);
    const valueOffset = this.#template.indexOf(value);
    this.#valueOffset = value.length > 0 && valueOffset >= 0 ? valueOffset : undefined;
    this.#data = data;
    this.bytes = this.#template.length;
    assert(this.#keyOffsets.length > 0, "a request holds its key");
  }

  /** Writes a request for `key`, with a fresh value if the method takes one. */
  write(target: Buffer, offset: number, key: Buffer): void {
    target.set(this.#template, offset);
    for (const keyOffset of this.#keyOffsets) target.set(key, offset + keyOffset);
    if (this.#valueOffset !== undefined) this.#data.writeValue(target, offset + this.#valueOffset);
  }
}

function offsetsOf(part: Buffer, whole: Buffer): readonly number[] {
  const offsets: number[] = [];
  for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + part.length)) offsets.push(at);
  return offsets;
}
