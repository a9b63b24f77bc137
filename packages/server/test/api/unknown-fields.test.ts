/** What messages may have that nobody takes: fields that cost more to keep than to send, and depth without end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectRouter } from "@connectrpc/connect";
import { DkvAPI, type SetRequest, SetResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import { create, toBinary } from "@bufbuild/protobuf";
import { UInt32ValueSchema } from "@bufbuild/protobuf/wkt";
import { BodyBudget } from "../../src/api/body-budget.ts";
import { createConnectHandler } from "../../src/api/connect-handler.ts";
import { unaryMethod } from "../../src/api/unary-method.ts";
import { systemClock } from "../../src/platform/clock.ts";

/** The key "k", and the field 15 a thousand times. */
const request = Buffer.concat([Buffer.from([0x0a, 1, 0x6b]), Buffer.alloc(2000, Buffer.from([0x78, 1]))]);

test("the fast path of gRPC does not keep fields that it does not know", async () => {
  const seen: SetRequest[] = [];
  const method = unaryMethod(DkvAPI.method.set, (message) => {
    seen.push(message);
    return Promise.resolve(Buffer.alloc(0));
  });
  await method.call(request, undefined, { get: () => null, connection: undefined });
  assert.deepEqual(
    seen.map(({ key, $unknown }) => [key, $unknown]),
    [["k", undefined]],
  );
});

test("Connect does not keep fields that it does not know", async () => {
  const seen: SetRequest[] = [];
  const register = (router: ConnectRouter): void => {
    router.rpc(DkvAPI.method.set, (message: SetRequest) => {
      seen.push(message);
      return create(SetResponseSchema);
    });
  };
  const handler = createConnectHandler(
    {
      routes: [register],
      largeStreams: new Set(),
      maxMessageBytes: 10_000,
      tooLarge: () => new Error("too large"),
      bodyTimeoutMs: 1000,
      shutdownSignal: new AbortController().signal,
    },
    {
      clock: systemClock,
      translate: (error) => assert.fail(String(error)),
      translatorOf: () => (error) => assert.fail(String(error)),
      budget: new BodyBudget({ maxBytes: 1e6, maxConnectionBytes: 1e6 }),
    },
  );
  const response = await handler("/dkv.v1.DkvAPI/Set", {
    httpVersion: "2.0",
    method: "POST",
    scheme: "http",
    authority: "test",
    target: "/dkv.v1.DkvAPI/Set",
    header: new Headers({ "content-type": "application/proto" }),
    connection: {},
    body: (async function* () {
      yield await Promise.resolve(request);
    })(),
    signal: new AbortController().signal,
    abandon: () => undefined,
  });
  assert.equal(response?.status, 200);
  assert.deepEqual(
    seen.map(({ key, $unknown }) => [key, $unknown]),
    [["k", undefined]],
  );
});

test("the fast path of gRPC refuses a message that nests without end, whatever it is", async () => {
  const method = unaryMethod(DkvAPI.method.txn, () => assert.fail("it is none"));
  let message = Buffer.alloc(0);
  for (let depth = 0; depth < 5000; depth += 1) {
    const length = toBinary(UInt32ValueSchema, create(UInt32ValueSchema, { value: message.length })).subarray(
      1,
    );
    message = Buffer.concat([
      Buffer.from([depth % 2 === 0 ? 0x22 : 0x12]),
      length.length === 0 ? Buffer.alloc(1) : length,
      message,
    ]);
  }
  await assert.rejects(method.call(message, undefined, { get: () => null, connection: undefined }), {
    code: "invalidRequest",
  });
});
