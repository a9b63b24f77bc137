import assert from "node:assert/strict";
import type { ServerHttp2Stream } from "node:http2";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type PipeRequest, PipeRequestSchema, PipeResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import { frameMessage } from "../../src/grpc/message.ts";
import { MessageReader } from "../../src/grpc/message-reader.ts";
import { dkvMethods } from "../../src/systems/dkv-messages.ts";
import { runLoad } from "../../src/workload/load.ts";
import type { Measurement } from "../../src/workload/recorder.ts";
import { Data } from "../../src/workload/work.ts";
import { type Converse, startStreamingServer } from "../fixtures/grpc-server.ts";

const valueBytes = 100;
const inFlight = 20;

type Answer = NonNullable<MessageInitShape<typeof PipeResponseSchema>["result"]>;

const done: Answer = { case: "set", value: { header: { revision: 7n } } };

/** Hands on each operation with what answers it; the stream ends well once the client has ended its side. */
function piping(onOperation: (request: PipeRequest, answer: (result: Answer) => void) => void): Converse {
  return (stream: ServerHttp2Stream) => {
    const reader = new MessageReader((source, start, end) => {
      const request = fromBinary(PipeRequestSchema, source.subarray(start, end));
      onOperation(request, (result) => {
        const response = toBinary(PipeResponseSchema, create(PipeResponseSchema, { id: request.id, result }));
        stream.write(frameMessage(response));
      });
    });
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => {
      stream.sendTrailers({ "grpc-status": "0" });
    });
    stream.on("data", (chunk: Buffer) => {
      reader.accept(chunk, 0, chunk.length);
    });
    stream.on("end", () => stream.end());
  };
}

async function load(converse: Converse): Promise<Measurement> {
  const server = await startStreamingServer(converse);
  try {
    const recorder = await runLoad({
      method: dkvMethods(valueBytes).pipe,
      data: new Data({ keys: 50, valueBytes, seed: 7 }),
      targets: [server.target],
      clients: inFlight,
      connections: 1,
      warmupMs: 50,
      measuredMs: 250,
      onMeasuring: () => undefined,
      onMeasured: () => undefined,
      signal: new AbortController().signal,
    });
    return recorder.measurement();
  } finally {
    await server.close();
  }
}

test("as many operations are open as there are clients, each with an id of its own, in any order", async () => {
  const open = new Map<bigint, () => void>();
  let most = 0;
  const values = new Set<string>();
  const measured = await load(
    piping(({ id, operation }, answer) => {
      assert.ok(operation.case === "set" && !open.has(id));
      values.add(Buffer.from(operation.value.value).toString("hex"));
      open.set(id, () => {
        answer(done);
      });
      most = Math.max(most, open.size);
      // The last one that came is answered first.
      setImmediate(() => {
        const last = [...open.keys()].at(-1);
        if (last === undefined) return;
        const say = open.get(last);
        open.delete(last);
        say?.();
      });
    }),
  );
  assert.deepEqual(measured.errorKinds, {});
  assert.ok(measured.calls >= 10, `${measured.calls} calls`);
  assert.equal(most, inFlight);
  assert.ok(values.size > 50 && [...values].every((value) => value.length === 2 * valueBytes));
});

test("an operation that fails is an error, and the others go on", async () => {
  const { calls, errorKinds } = await load(
    piping(({ id }, answer) => {
      answer(id === 3n ? { case: "error", value: { status: 8, message: "full" } } : done);
    }),
  );
  assert.ok(calls >= 10, `${calls} calls`);
  assert.deepEqual(Object.keys(errorKinds), ["gRPC status 8: full"]);
});

test("an answer to nothing, and one to something else, are errors", async () => {
  const { calls, errorKinds } = await load(
    piping((_, answer) => {
      answer({ case: "get", value: {} });
    }),
  );
  assert.equal(calls, 0);
  assert.deepEqual(Object.keys(errorKinds), ["the answer is not that of a set"]);
});

test("a stream that is lost fails all that was open on it, and is made again", async () => {
  let streams = 0;
  const serve = piping((_, answer) => {
    answer(done);
  });
  const { calls, errors, errorKinds } = await load((stream) => {
    streams += 1;
    if (streams === 1) stream.close(7);
    else serve(stream);
  });
  assert.equal(streams, 2);
  assert.ok(calls >= 10, `${calls} calls`);
  assert.equal(errors, inFlight);
  assert.deepEqual(Object.keys(errorKinds), ["stream reset, error 7"]);
});
