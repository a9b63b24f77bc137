import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";

/** The error that a call ends with; fails if it ends without one. */
export async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  return assert.fail("the call succeeded");
}

/** Matches an error with this status whose text contains these words. */
export function refusal(code: Code, words: string): (error: unknown) => boolean {
  return (error) => {
    const { code: actual, rawMessage } = ConnectError.from(error);
    assert.equal(Code[actual], Code[code], rawMessage);
    assert.ok(rawMessage.includes(words), rawMessage);
    return true;
  };
}
