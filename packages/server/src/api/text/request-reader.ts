/**
 * Commands of the text protocol as they stand in the bytes of a connection: a line of fields, and behind that
 * of a set or cas so many bytes of value.
 *
 *   set KEY SECONDS BYTES            cas KEY SECONDS VERSION BYTES
 *   get KEY      getm KEY      delete KEY
 *
 * Fields are parted by blanks, lines end with a line feed before which a carriage return is dropped. Behind
 * a value an end of line may stand or not; blank lines mean nothing. What stands behind a value on its line,
 * and the line behind a set or cas that was no command, is dropped unless it begins like a command: it is the
 * value of a client that counted wrong.
 */
import type { Reading, RequestReader } from "../stream/protocol.ts";
import { maxTtlSeconds } from "../stream/set-command.ts";
import { textAnswers } from "./answers.ts";

export type TextRequest =
  | {
      readonly kind: "set";
      readonly key: Buffer;
      readonly ttlSeconds: number;
      readonly value: Buffer;
    }
  | {
      readonly kind: "cas";
      readonly key: Buffer;
      readonly ttlSeconds: number;
      /** Exact, or one that no key ever has. */
      readonly version: number;
      readonly value: Buffer;
    }
  | { readonly kind: "get" | "getm" | "delete"; readonly key: Buffer }
  /** A command that is none. */
  | { readonly kind: "mistaken" };

/** A longer line is nobody's command. Without its line feed. */
const maxLineBytes = 64 * 1024;

const lineFeed = 0x0a;
const words: ReadonlySet<string> = new Set(["set", "cas", "get", "getm", "delete"]);
const nothing = Buffer.alloc(0);

export class TextReader implements RequestReader<TextRequest> {
  readonly #maxRequestBytes: number;
  /** Bytes of the line that was begun in which there is no line feed. */
  #searchedBytes = 0;
  /** Whether the next line is dropped unless it is like a command. */
  #mayBeSurplus = false;

  /** @param maxRequestBytes most bytes of key and value together */
  constructor(maxRequestBytes: number) {
    this.#maxRequestBytes = maxRequestBytes;
  }

  next(bytes: Buffer, at: number): Reading<TextRequest> {
    const end = bytes.indexOf(lineFeed, at + this.#searchedBytes);
    const length = (end < 0 ? bytes.length : end) - at;
    if (length > maxLineBytes) return { kind: "unreadable", answer: textAnswers.internal };
    if (end < 0) {
      this.#searchedBytes = length;
      return { kind: "part", wantedBytes: length + 1 };
    }
    const fields = fieldsOf(bytes, at, end);
    const [word = ""] = fields;
    const isSurplus = this.#mayBeSurplus && !words.has(word);
    const reading = word === "" || isSurplus ? nothingUpTo(end + 1) : this.#command(fields, bytes, end + 1);
    // The line of a set is looked at again until all of its value is there.
    if (reading.kind === "part") return { ...reading, wantedBytes: reading.wantedBytes - at };
    this.#searchedBytes = 0;
    this.#mayBeSurplus = reading.kind === "request" && (word === "set" || word === "cas");
    return reading;
  }

  /** A line that was cut off may name another key than was meant, which does no harm if it is only read. */
  last(bytes: Buffer): Exclude<Reading<TextRequest>, { kind: "part" }> {
    const fields = bytes.includes(lineFeed) ? [] : fieldsOf(bytes, 0, bytes.length);
    const [word = ""] = fields;
    if (fields.length > 0 && !words.has(word) && this.#mayBeSurplus) return nothingUpTo(bytes.length);
    if (fields.length === 0 && !bytes.includes(lineFeed)) return nothingUpTo(bytes.length);
    const isRead = word === "get" || word === "getm";
    const request = isRead ? keyed(word, fields) : mistaken;
    return { kind: "request", request, end: bytes.length };
  }

  /** @param end of the line */
  #command(fields: readonly string[], bytes: Buffer, end: number): PlainReading {
    const [word] = fields;
    switch (word) {
      case "set":
      case "cas":
        return this.#valued(word, fields, { bytes, end });
      case "get":
      case "getm":
      case "delete":
        return { kind: "request", request: keyed(word, fields), end };
      default:
        return { kind: "request", request: mistaken, end };
    }
  }

  #valued(
    kind: "set" | "cas",
    fields: readonly string[],
    { bytes, end }: { readonly bytes: Buffer; readonly end: number },
  ): PlainReading {
    const [, name = "", seconds = ""] = fields;
    const ttlSeconds = countOf(seconds);
    const valueBytes = countOf(fields.at(-1) ?? "");
    const version = kind === "cas" ? versionOf(fields[3] ?? "") : 0;
    if (
      fields.length !== (kind === "cas" ? 5 : 4) ||
      !(ttlSeconds <= maxTtlSeconds) ||
      !(valueBytes >= 1) ||
      version === undefined
    )
      return { kind: "request", request: mistaken, end };
    if (name.length + valueBytes > this.#maxRequestBytes)
      return { kind: "unreadable", answer: textAnswers.mistaken };
    const valueEnd = end + valueBytes;
    if (valueEnd > bytes.length) return { kind: "part", wantedBytes: valueEnd };
    const value = bytes.subarray(end, valueEnd);
    const key = bytesOf(name);
    const request: TextRequest =
      kind === "set" ? { kind, key, ttlSeconds, value } : { kind, key, ttlSeconds, version, value };
    return { kind: "request", request, end: valueEnd };
  }
}

type PlainReading = Reading<TextRequest>;

const mistaken: TextRequest = { kind: "mistaken" };

const nothingUpTo = (end: number) => ({ kind: "nothing", end }) as const;

/** Each character is a byte. */
function fieldsOf(bytes: Buffer, at: number, end: number): readonly string[] {
  return bytes.toString("latin1", at, end).match(/[^\t\v\f\r ]+/g) ?? [];
}

const bytesOf = (field: string): Buffer => (field === "" ? nothing : Buffer.from(field, "latin1"));

function keyed(kind: "get" | "getm" | "delete", fields: readonly string[]): TextRequest {
  const [, name = ""] = fields;
  return fields.length === 2 ? { kind, key: bytesOf(name) } : mistaken;
}

/** NaN if it is none. Exact where it matters: what is too large to be so is larger than any bound. */
function countOf(text: string): number {
  return /^\+?\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** Of 64 bits, with a sign; undefined if it is none. */
function versionOf(text: string): number | undefined {
  const [, sign = "", digits = ""] = /^([+-]?)0*(\d{1,19})$/.exec(text) ?? [];
  if (digits === "") return undefined;
  const version = BigInt(`${sign === "-" ? "-" : ""}${digits}`);
  return BigInt.asIntN(64, version) === version ? Number(version) : undefined;
}
