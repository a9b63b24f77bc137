/**
 * Commands of the binary protocol as they stand in the bytes of a connection: a code, and texts with their
 * length before them as 32 bits, little end first, with a sign.
 *
 *   01 SET  key value seconds        02 GET  key        04 JOIN  name address
 *
 * An older description of the protocol has 03 for JOIN, which its programs never did. 03 is taken for one if
 * a name and an address follow.
 */
import { isUtf8 } from "node:buffer";
import { parseHostPort } from "../../platform/address.ts";
import type { Reading, RequestReader } from "../stream/protocol.ts";
import { statuses } from "./answers.ts";

export type BinaryRequest =
  | {
      readonly kind: "set";
      readonly key: Buffer;
      readonly value: Buffer;
      /** As given: negative ones too. */
      readonly seconds: number;
    }
  | { readonly kind: "get"; readonly key: Buffer }
  | { readonly kind: "join"; readonly name: string; readonly address: string };

export const codes = { set: 1, get: 2, joinAsDescribed: 3, join: 4 } as const;

const numberBytes = 4;

/** As long as any address of a member; names are shorter. */
const maxTextBytes = 260;

/** How many texts there are, and how many bytes one of them and all together may have. */
interface TextLimits {
  readonly count: number;
  readonly eachBytes: number;
  readonly allBytes: number;
}

const nameAndAddress: TextLimits = { count: 2, eachBytes: maxTextBytes, allBytes: 2 * maxTextBytes };

/** What a length promises that cannot be. */
const impossible = Symbol("impossible");

/** Where the texts of one request lie; or how many bytes of it there must be before that is known. */
type Layout = { readonly ends: readonly number[] } | { readonly wantedEnd: number } | typeof impossible;

export class BinaryReader implements RequestReader<BinaryRequest> {
  readonly #keyAlone: TextLimits;
  readonly #keyAndValue: TextLimits;

  /** @param maxRequestBytes most bytes of key and value together */
  constructor(maxRequestBytes: number) {
    this.#keyAlone = { count: 1, eachBytes: maxRequestBytes, allBytes: maxRequestBytes };
    this.#keyAndValue = { ...this.#keyAlone, count: 2 };
  }

  next(bytes: Buffer, at: number): Reading<BinaryRequest> {
    switch (bytes[at]) {
      case codes.set:
        return this.#set(bytes, at);
      case codes.get:
        return this.#get(bytes, at);
      case codes.join:
        return join(bytes, at);
      case codes.joinAsDescribed: {
        const reading = join(bytes, at);
        return reading.kind === "request" && !isJoin(reading.request) ? unreadable : reading;
      }
      default:
        return unreadable;
    }
  }

  last(): Exclude<Reading<BinaryRequest>, { kind: "part" }> {
    return unreadable;
  }

  #set(bytes: Buffer, at: number): Reading<BinaryRequest> {
    const layout = textsAt(bytes, at + 1, this.#keyAndValue);
    if (layout === impossible) return unreadable;
    if ("wantedEnd" in layout) return part(layout.wantedEnd - at);
    const [keyEnd = 0, valueEnd = 0] = layout.ends;
    const end = valueEnd + numberBytes;
    if (end > bytes.length) return part(end - at);
    const key = bytes.subarray(at + 1 + numberBytes, keyEnd);
    const value = bytes.subarray(keyEnd + numberBytes, valueEnd);
    return {
      kind: "request",
      request: { kind: "set", key, value, seconds: bytes.readInt32LE(valueEnd) },
      end,
    };
  }

  #get(bytes: Buffer, at: number): Reading<BinaryRequest> {
    const layout = textsAt(bytes, at + 1, this.#keyAlone);
    if (layout === impossible) return unreadable;
    if ("wantedEnd" in layout) return part(layout.wantedEnd - at);
    const [end = 0] = layout.ends;
    return { kind: "request", request: { kind: "get", key: bytes.subarray(at + 1 + numberBytes, end) }, end };
  }
}

function join(bytes: Buffer, at: number): Reading<BinaryRequest> {
  const layout = textsAt(bytes, at + 1, nameAndAddress);
  if (layout === impossible) return unreadable;
  if ("wantedEnd" in layout) return part(layout.wantedEnd - at);
  const [nameEnd = 0, end = 0] = layout.ends;
  const name = textOf(bytes.subarray(at + 1 + numberBytes, nameEnd));
  const address = textOf(bytes.subarray(nameEnd + numberBytes, end));
  return { kind: "request", request: { kind: "join", name, address }, end };
}

/** Whether a name and an address are there. */
function isJoin(request: BinaryRequest): boolean {
  if (request.kind !== "join" || request.name === "") return false;
  try {
    return parseHostPort(request.address, "address").host !== undefined;
  } catch {
    return false;
  }
}

/** The ends of texts that have their lengths before them. */
function textsAt(bytes: Buffer, at: number, { count, eachBytes, allBytes }: TextLimits): Layout {
  const ends: number[] = [];
  let end = at;
  let total = 0;
  while (ends.length < count) {
    if (end + numberBytes > bytes.length) return { wantedEnd: end + numberBytes };
    const length = bytes.readInt32LE(end);
    total += length;
    if (length < 0 || length > eachBytes || total > allBytes) return impossible;
    end += numberBytes + length;
    ends.push(end);
  }
  return end > bytes.length ? { wantedEnd: end } : { ends };
}

/** Empty, which is nobody's name, if it is no text. */
const textOf = (bytes: Buffer): string => (isUtf8(bytes) ? bytes.toString() : "");

const part = (wantedBytes: number): Reading<BinaryRequest> => ({ kind: "part", wantedBytes });

const unreadable = { kind: "unreadable", answer: statuses.error } as const;
