import type { ErrorCode } from "./frames.ts";

/** The peer broke a rule in a way after which the connection cannot go on. Source: RFC 9113 §5.4.1. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
