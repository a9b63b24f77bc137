import type { OutgoingHttpHeaders } from "node:http2";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { DkvError } from "../platform/errors.ts";
import type { ErrorTranslator } from "./errors.ts";

/** More texts than a healthy member ever has; texts that vary without end must not fill the memory. */
const maxRemembered = 64;

/**
 * The header fields that tell a gRPC client of an error: status, percent-encoded message, and the details.
 *
 * Connect's own function writes them, so that a client cannot tell which path answered. It is not part of
 * Connect's stable interface; the version is pinned, and the contract suite compares both paths. As it
 * takes twice as long as a whole call, and a key that is not there is an everyday answer, the results for
 * dkv's own errors are remembered.
 */
export class GrpcErrorFields {
  readonly #translate: ErrorTranslator;
  readonly #leader: () => string;
  readonly #remembered = new Map<string, OutgoingHttpHeaders>();

  /** @param leader the name that the details of an error carry at this moment */
  constructor(translate: ErrorTranslator, leader: () => string) {
    this.#translate = translate;
    this.#leader = leader;
  }

  of(error: unknown): OutgoingHttpHeaders {
    if (!(error instanceof DkvError)) return this.#encode(error);
    const name = JSON.stringify([error.code, this.#leader(), error.message]);
    const remembered = this.#remembered.get(name);
    if (remembered !== undefined) return remembered;
    const fields = this.#encode(error);
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(name, fields);
    return fields;
  }

  #encode(error: unknown): OutgoingHttpHeaders {
    const fields = setTrailerStatus(new Headers(), this.#translate(error));
    unescapeMessage(fields);
    return Object.fromEntries(fields);
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
