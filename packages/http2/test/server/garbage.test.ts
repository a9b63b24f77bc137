/** Whatever a client says, the process goes on and the connection ends or is used. */
import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import {
  Backlog,
  ConnectionError,
  defaultSessionLimits,
  errorCode,
  frame,
  preface,
  Session,
  settingsFrame,
} from "../../src/index.ts";
import { data, echo, endBoth, headers, post } from "./raw-client.ts";

const clock = { nowMs: () => 0, after: () => () => undefined };

const anyFrame = fc
  .record({
    type: fc.integer({ min: 0, max: 10 }),
    flags: fc.constantFrom(0, 1, 4, 5, 8, 0x0d, 0x20, 0x2d),
    streamId: fc.integer({ min: 0, max: 9 }),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(headers(1).subarray(9), Buffer.alloc(4, 1), Buffer.alloc(8), Buffer.alloc(5)),
    ),
  })
  .map(({ payload, ...kind }) => frame(kind, payload));
const sensible = fc.constantFrom(headers(1), headers(3, post, endBoth), data(1, "abc"), data(1, "d", 1));

test("random frames and random bytes throw nothing but faults of the client", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(anyFrame, sensible, fc.uint8Array({ maxLength: 30 })), { maxLength: 30 }),
      fc.integer({ min: 1, max: 50 }),
      async (parts, step) => {
        const [client, server] = duplexPair();
        client.resume().on("error", () => undefined);
        const broken: Error[] = [];
        const onBroken = (error: Error): void => void broken.push(error);
        new Session(server, {
          clock,
          handler: echo,
          limits: defaultSessionLimits,
          backlog: new Backlog(2 ** 30),
          onBroken,
        });
        const said = Buffer.concat([preface, settingsFrame([]), ...parts]);
        // Emitted and not written, so that an error that nobody expects is thrown into this test.
        for (let at = 0; at < said.length; at += step) server.emit("data", said.subarray(at, at + step));
        await new Promise(setImmediate);
        for (const error of broken) {
          assert.ok(error instanceof ConnectionError);
          assert.notEqual(error.code, errorCode.internal, String(error.cause));
        }
        client.destroy();
        server.destroy();
      },
    ),
    { numRuns: 300 },
  );
});
