import { type ErrorCode, errorCode } from "./frames.ts";

/** The peer broke a rule in a way after which the connection cannot go on. Source: RFC 9113 §5.4.1. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Throws unless a rule of the protocol is kept. */
export function mustHold(fact: boolean, message: string): asserts fact {
  if (!fact) throw new ConnectionError(errorCode.protocol, message);
}
