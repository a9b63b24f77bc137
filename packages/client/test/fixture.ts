/** What the tests of the client have in common. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { TestContext } from "node:test";

import { DkvClient } from "../src/client.ts";
import { DkvClientError, type ErrorCode, type Retry } from "../src/errors.ts";
import type { DkvClientOptions } from "../src/options.ts";
import { FakeStore } from "./fake-store.ts";
import { type Call, ScriptedMember, type ScriptedMemberOptions } from "./scripted-member.ts";

/** A member that is stopped when the test ends. */
export async function member(t: TestContext, options?: ScriptedMemberOptions): Promise<ScriptedMember> {
  const started = await ScriptedMember.start(options);
  t.after(() => started.stop());
  return started;
}

/** A client that is closed when the test ends. */
export function client(t: TestContext, options: DkvClientOptions): DkvClient {
  const made = new DkvClient(options);
  t.after(() => {
    made.close();
  });
  return made;
}

/** An endpoint where nobody listens: the port was free a moment ago. */
export async function deadEndpoint(): Promise<string> {
  const gone = await ScriptedMember.start();
  await gone.stop();
  return gone.endpoint;
}

/** Asserts that it fails so, and gives the error. */
export async function fails(
  work: Promise<unknown>,
  expected: { code: ErrorCode; retry: Retry; message?: RegExp },
): Promise<DkvClientError> {
  const error: unknown = await work.then(
    () => assert.fail("it succeeded"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DkvClientError, String(error));
  assert.deepEqual(
    { code: error.code, retry: error.retry },
    { code: expected.code, retry: expected.retry },
    error.message,
  );
  if (expected.message !== undefined) assert.match(error.message, expected.message);
  return error;
}

/** Does not answer as long as somebody waits. */
export async function silence({ signal }: Call): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

export interface StoreMember {
  readonly store: FakeStore;
  readonly only: ScriptedMember;
  readonly dkv: DkvClient;
}

/** A member with a store, and a client of it. */
export async function storeMember(
  t: TestContext,
  options: Partial<DkvClientOptions> = {},
): Promise<StoreMember> {
  const store = new FakeStore();
  const only = await member(t, { store });
  return { store, only, dkv: client(t, { endpoints: [only.endpoint], ...options }) };
}
