import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { encodeHeaderBlock, type Header } from "@dkv/http2";
import { DkvError } from "../platform/errors.ts";
import type { ErrorTranslator } from "./errors.ts";

/** What every answer of gRPC begins with. */
export const grpcAnswerHeaders: readonly Header[] = [
  [":status", "200"],
  ["content-type", "application/grpc+proto"],
];

/** Around an answer that is no error. */
export const okHeaders: Buffer = encodeHeaderBlock(grpcAnswerHeaders);
export const okTrailers: Buffer = encodeHeaderBlock([["grpc-status", "0"]]);

/** More texts than a healthy member ever has; texts that vary without end must not fill the memory. */
const maxRemembered = 64;

/**
 * The header blocks that tell a gRPC client of an error, ready to be sent: they are the whole answer, with
 * status, percent-encoded message, and the details.
 *
 * Connect's own function writes them, so that a client cannot tell which path answered. It is not part of
 * Connect's stable interface; the version is pinned, and the contract suite compares both paths. As it
 * takes twice as long as a whole call, and a key that is not there is an everyday answer, the results for
 * dkv's own errors are remembered.
 */
export class GrpcErrorBlocks {
  readonly #translate: ErrorTranslator;
  readonly #leader: () => string;
  readonly #remembered = new Map<string, Buffer>();

  /** @param leader the name that the details of an error carry at this moment */
  constructor(translate: ErrorTranslator, leader: () => string) {
    this.#translate = translate;
    this.#leader = leader;
  }

  /** The whole answer. */
  of(error: unknown): Buffer {
    return this.#known(error, "whole");
  }

  /** The end of an answer that has begun. When a member stops, all its watches end with the same. */
  trailersOf(error: unknown): Buffer {
    return this.#known(error, "end");
  }

  #known(error: unknown, part: "whole" | "end"): Buffer {
    const before = part === "whole" ? grpcAnswerHeaders : [];
    if (!(error instanceof DkvError)) return this.#encode(error, before);
    const name = JSON.stringify([part, error.code, this.#leader(), error.message, error.compactRevision]);
    const remembered = this.#remembered.get(name);
    if (remembered !== undefined) return remembered;
    const block = this.#encode(error, before);
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(name, block);
    return block;
  }

  #encode(error: unknown, before: readonly Header[]): Buffer {
    const fields = setTrailerStatus(new Headers(), this.#translate(error));
    unescapeMessage(fields);
    return encodeHeaderBlock([...before, ...fields]);
  }
}

/**
 * Leaves escaped in grpc-message only what gRPC asks for: what is not printable ASCII, and the percent sign.
 * Connect escapes all that is special in a URL, and grpc-js does not unescape all of that.
 */
export function unescapeMessage(fields: Headers): void {
  const message = fields.get("grpc-message");
  if (message === null) return;
  const unescaped = message.replace(/%[2-7][0-9A-F]/g, (code) =>
    code === "%25" || code === "%7F" ? code : decodeURIComponent(code),
  );
  fields.set("grpc-message", unescaped);
}
