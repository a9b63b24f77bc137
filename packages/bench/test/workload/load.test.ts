import assert from "node:assert/strict";
import { test } from "node:test";
import { dkvMethods } from "../../src/systems/dkv-messages.ts";
import { runLoad, usualConnections } from "../../src/workload/load.ts";
import type { Measurement } from "../../src/workload/recorder.ts";
import { preload } from "../../src/workload/preload.ts";
import { Data, type WorkName } from "../../src/workload/work.ts";
import { create, fromBinary } from "@bufbuild/protobuf";
import { GetRequestSchema, SetRequestSchema } from "@dkv/protocol/dkv/v1/dkv";
import { type Answer, type GrpcServer, refuse, reply, startGrpcServer } from "../fixtures/grpc-server.ts";

const valueBytes = 100;
const newData = (): Data => new Data({ keys: 50, valueBytes, seed: 7 });

async function load(server: GrpcServer, work: WorkName, data = newData()): Promise<Measurement> {
  const recorder = await runLoad({
    method: dkvMethods(valueBytes)[work],
    data,
    targets: [server.target],
    clients: 10,
    connections: 3,
    warmupMs: 50,
    measuredMs: 250,
    onMeasuring: () => undefined,
    onMeasured: () => undefined,
    signal: new AbortController().signal,
  });
  return recorder.measurement();
}

async function withServer(answer: Answer, use: (server: GrpcServer) => Promise<void>): Promise<void> {
  const server = await startGrpcServer(answer);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

test("clients set keys of the key space with values that are not all alike", async () => {
  const keys = new Set<string>();
  const values = new Set<string>();
  const store: Answer = (stream, { body }) => {
    const { key, value } = fromBinary(SetRequestSchema, body.subarray(5));
    keys.add(key);
    values.add(Buffer.from(value).toString("hex"));
    reply(stream, Buffer.from([1]));
  };
  await withServer(store, async (server) => {
    const data = newData();
    const { calls, errors, p50Ms, maxMs } = await load(server, "set", data);
    assert.ok(calls >= 10, `${calls} calls`);
    assert.equal(errors, 0);
    assert.ok(p50Ms > 0 && p50Ms <= maxMs);
    const known = new Set(data.keys.map(String));
    assert.ok([...keys].every((key) => known.has(key)));
    assert.ok(values.size > 50);
    assert.ok([...values].every((value) => value.length === 2 * valueBytes));
  });
});

test("clients of a mixed work set now and then, and get for the most part", async () => {
  const asked = { set: 0, get: 0 };
  const answer: Answer = (stream, { path }) => {
    const isSet = path.endsWith("/Set");
    asked[isSet ? "set" : "get"] += 1;
    reply(stream, Buffer.alloc(isSet ? 1 : valueBytes));
  };
  await withServer(answer, async (server) => {
    const { errors, calls } = await load(server, "mixed");
    assert.equal(errors, 0);
    assert.ok(calls >= 50, `${calls} calls`);
    assert.ok(asked.set > 0 && asked.get > 4 * asked.set, JSON.stringify(asked));
  });
});

test("reads ask for what their name says, and no client has two calls open", async () => {
  let open = 0;
  let most = 0;
  const serializable = new Set<boolean>();
  const read: Answer = (stream, { body }) => {
    open += 1;
    most = Math.max(most, open);
    serializable.add(fromBinary(GetRequestSchema, body.subarray(5)).serializable);
    setImmediate(() => {
      open -= 1;
      reply(stream, Buffer.alloc(valueBytes));
    });
  };
  await withServer(read, async (server) => {
    assert.equal((await load(server, "get")).errors, 0);
    assert.deepEqual(serializable, new Set([create(GetRequestSchema).serializable]));
    await load(server, "serializable-get");
    assert.deepEqual(serializable, new Set([false, true]));
    assert.ok(most > 1 && most <= 10, `${most} were open at once`);
  });
});

test("every kind of failure is counted as an error and not as a call", async () => {
  const table: readonly (readonly [Answer, RegExp])[] = [
    [
      (stream) => {
        refuse(stream, { "grpc-status": "8", "grpc-message": "full" });
      },
      /^gRPC status 8: full$/,
    ],
    [
      (stream) => {
        stream.close(7);
      },
      /^stream reset, error 7$/,
    ],
    [
      (stream) => {
        reply(stream, Buffer.alloc(3));
      },
      /^the answer lacks the value$/,
    ],
    [
      (stream) => {
        stream.respond({ ":status": 404 }, { endStream: true });
      },
      /^no gRPC status: HTTP status 404$/,
    ],
    [
      (stream) => {
        stream.session?.destroy();
      },
      /^connection|^reconnecting/,
    ],
  ];
  for (const [answer, kind] of table) {
    await withServer(answer, async (server) => {
      const { calls, errors, errorKinds } = await load(server, "get");
      assert.equal(calls, 0);
      assert.ok(errors >= 10, `${errors} errors`);
      for (const found of Object.keys(errorKinds)) assert.match(found, kind);
    });
  }
});

test("a connection that is lost is made again, and the clients go on", async () => {
  let isFirst = true;
  const failOnce: Answer = (stream) => {
    if (isFirst) stream.session?.destroy();
    else reply(stream, Buffer.alloc(valueBytes));
    isFirst = false;
  };
  await withServer(failOnce, async (server) => {
    const { calls, errors } = await load(server, "get");
    assert.ok(errors >= 1 && errors <= 10, `${errors} errors`);
    assert.ok(calls >= 10, `${calls} calls`);
    assert.equal(server.sessions.length, 4);
  });
});

test("preloading sets every key once, and rejects when one is refused", async () => {
  const keys: string[] = [];
  const store: Answer = (stream, { body }) => {
    keys.push(fromBinary(SetRequestSchema, body.subarray(5)).key);
    reply(stream, Buffer.from([1]));
  };
  const data = newData();
  const plan = { set: dkvMethods(valueBytes).set, data, signal: new AbortController().signal };
  await withServer(store, async (server) => {
    await preload(server.target, plan);
    assert.deepEqual(
      keys.sort((a, b) => (a < b ? -1 : 1)),
      data.keys.map(String).sort((a, b) => (a < b ? -1 : 1)),
    );
  });
  await withServer(
    (stream) => {
      refuse(stream, { "grpc-status": "14" });
    },
    async (server) => {
      await assert.rejects(preload(server.target, plan), /gRPC status 14/);
    },
  );
});

test("the usual number of connections is one for each sixteen clients, at most sixteen, and one for a stream", () => {
  const { set, pipe } = dkvMethods(valueBytes);
  const usual = [1, 16, 17, 64, 256, 1000].map((clients) => usualConnections(clients, set));
  assert.deepEqual(usual, [1, 1, 2, 4, 16, 16]);
  assert.equal(usualConnections(256, pipe), 1);
});

test("equal seeds make equal keys, and other seeds other keys", () => {
  const keys = (seed: number): readonly string[] =>
    new Data({ keys: 100, valueBytes: 1, seed }).keys.map(String);
  assert.deepEqual(keys(1), keys(1));
  assert.notDeepEqual(keys(1), keys(2));
  assert.equal(new Set(keys(1)).size, 100);
});
