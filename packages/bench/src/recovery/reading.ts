import { callOnce, call } from "../grpc/unary.ts";
import { frameMessage, requestHeaders } from "../grpc/message.ts";
import { dial, type Target } from "../http2/dial.ts";
import { sleep } from "../platform/clock.ts";
import type { LocalMember } from "../systems/local-member.ts";
import type { System } from "../systems/system.ts";

const pauseMs = 5;
const timeoutMs = 2_000;
const patienceMs = 120_000;

/** A key and what is expected as its value, of any system. */
export interface Expected {
  readonly system: System;
  readonly key: string;
  /** Undefined: any value of that many bytes. */
  readonly value: Buffer | undefined;
  readonly valueBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Reads from the member's own state, again and again, until it answers with the value. Rejects when it ends,
 * or takes minutes.
 */
export async function readUntil(member: LocalMember, expected: Expected): Promise<void> {
  const { system, key, value, valueBytes, signal } = expected;
  const method = system.methods(valueBytes)["serializable-get"];
  const request = { path: method.path, message: method.encode(key, Buffer.alloc(0)), timeoutMs };
  const tooLong = AbortSignal.timeout(patienceMs);
  for (;;) {
    const answer = await callOnce(member.target, request).catch(() => undefined);
    const isThere =
      answer !== undefined && answer.length >= valueBytes && (value === undefined || answer.includes(value));
    if (isThere) return;
    member.checkAlive();
    if (tooLong.aborted)
      throw new Error(
        `${member.name} does not answer with ${key} after ${patienceMs / 1000} s:\n${member.lastWords()}`,
      );
    await sleep(pauseMs, signal);
  }
}

/** Resolves when the member has everything that was written before: it answers with a value set just now. */
export async function waitCaughtUp(member: LocalMember, through: Target, expected: Expected): Promise<void> {
  const { system, key, value, valueBytes, signal } = expected;
  const { path, encode } = system.methods(valueBytes).set;
  const { connection, close } = await dial(through, signal);
  try {
    const message = encode(key, value ?? Buffer.alloc(valueBytes));
    await call(connection, { headers: requestHeaders(through, path), body: frameMessage(message) });
  } finally {
    close();
  }
  await readUntil(member, expected);
}
