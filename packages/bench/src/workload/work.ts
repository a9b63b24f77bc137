import { assert } from "../assert.ts";
import { frameMessage } from "../grpc/message.ts";
import { Random } from "./random.ts";

/** Set a key; read it so that every acknowledged set is seen; read it from one member's own state. */
export const workNames = ["set", "get", "serializable-get"] as const;
export type WorkName = (typeof workNames)[number];

/** How one system is asked to do one work. */
export interface Method {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Encodes a request. Requests for keys and values of equal length must have equal length. */
  readonly encode: (key: string, value: Buffer) => Uint8Array;
  /** An answer with a shorter message is an error: a read that found nothing. */
  readonly leastAnswerBytes: number;
}

/** The keys and values of a run; equal seeds give equal data. */
export class Data {
  readonly keys: readonly Buffer[];
  readonly valueBytes: number;
  readonly random: Random;
  /** Values are windows of this, so that neither system can gain by compressing repeats. */
  readonly #noise: Buffer;

  constructor(size: { readonly keys: number; readonly valueBytes: number; readonly seed: number }) {
    this.random = new Random(size.seed);
    this.keys = Array.from({ length: size.keys }, () => Buffer.from(this.random.bytes(8).toString("hex")));
    this.valueBytes = size.valueBytes;
    this.#noise = this.random.bytes(1024 * 1024 + size.valueBytes);
  }

  writeValue(target: Buffer, offset: number): void {
    const start = this.random.below(this.#noise.length - this.valueBytes);
    this.#noise.copy(target, offset, start, start + this.valueBytes);
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
  readonly #keyOffset: number;
  /** Undefined when the request holds no value. */
  readonly #valueOffset: number | undefined;
  readonly #data: Data;

  constructor(method: Method, data: Data) {
    const key = Buffer.alloc(data.keys[0]?.length ?? 0, "k");
    const value = Buffer.alloc(data.valueBytes, "v");
    this.#template = frameMessage(method.encode(key.toString(), value));
    this.#keyOffset = this.#template.indexOf(key);
    const valueOffset = this.#template.indexOf(value);
    this.#valueOffset = value.length > 0 && valueOffset >= 0 ? valueOffset : undefined;
    this.#data = data;
    this.bytes = this.#template.length;
    assert(this.#keyOffset >= 0, "a request holds its key");
  }

  /** Writes a request for `key`, with a fresh value if the method takes one. */
  write(target: Buffer, offset: number, key: Buffer): void {
    target.set(this.#template, offset);
    target.set(key, offset + this.#keyOffset);
    if (this.#valueOffset !== undefined) this.#data.writeValue(target, offset + this.#valueOffset);
  }
}
