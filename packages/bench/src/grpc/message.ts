import type { Header } from "@dkv/http2";
import { assert } from "../assert.ts";
import type { Target } from "../http2/dial.ts";

/** Each gRPC message is preceded by a compression flag and its length. */
const prefixBytes = 5;

/** The headers of every call of one method, as gRPC clients send them. */
export function requestHeaders(target: Target, path: string): readonly Header[] {
  return [
    [":method", "POST"],
    [":scheme", target.ca === undefined ? "http" : "https"],
    [":path", path],
    [":authority", `${target.host}:${target.port}`],
    ["content-type", "application/grpc"],
    ["user-agent", "dkv-bench"],
    ["te", "trailers"],
  ];
}

/** A message with its prefix: the whole body of a unary request. */
export function frameMessage(message: Uint8Array): Buffer {
  assert(message.length < 2 ** 32, "a message's length fits its prefix");
  const body = Buffer.alloc(prefixBytes + message.length);
  body.writeUInt32BE(message.length, 1);
  body.set(message, prefixBytes);
  return body;
}

/** The message in a body of one message. Throws when the body is anything else. */
export function unframeMessage(body: Buffer): Buffer {
  const meter = new BodyMeter();
  meter.accept(body, 0, body.length);
  assert(meter.isOneMessage, "the answer is one whole, uncompressed message");
  return body.subarray(prefixBytes);
}

/** Measures a body as it comes in, without keeping it. */
export class BodyMeter {
  #seen = 0;
  /** The five bytes of the prefix as one number; the flag stands above the length. */
  #prefix = 0;

  reset(): void {
    this.#seen = 0;
    this.#prefix = 0;
  }

  accept(source: Buffer, start: number, end: number): void {
    for (let at = start; at < end && this.#seen + at - start < prefixBytes; at += 1) {
      this.#prefix = this.#prefix * 256 + (source[at] ?? 0);
    }
    this.#seen += end - start;
  }

  /** Whether the body so far is exactly one message, not compressed. */
  get isOneMessage(): boolean {
    return this.#seen >= prefixBytes && this.#seen === prefixBytes + this.#prefix;
  }

  get messageBytes(): number {
    return Math.max(0, this.#seen - prefixBytes);
  }
}
