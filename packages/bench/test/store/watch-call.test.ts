import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { EventSchema, WatchRequestSchema, WatchResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import { frameMessage, requestHeaders } from "../../src/grpc/message.ts";
import { dial } from "../../src/http2/dial.ts";
import { WatchCall, watchPath } from "../../src/store/watch/watch-call.ts";
import { startGrpcServer } from "../fixtures/grpc-server.ts";

function value(writtenMs: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeDoubleBE(writtenMs);
  return bytes;
}

/** An answer with events of these revisions. */
function told(...revisions: readonly bigint[]): Buffer {
  const events = revisions.map((modRevision) =>
    create(EventSchema, {
      kv: { key: "watched/1", value: value(Number(modRevision) * 10), modRevision },
    }),
  );
  return frameMessage(toBinary(WatchResponseSchema, create(WatchResponseSchema, { events, revision: 9n })));
}

test("a watch tells of its events, counts those that come again, and says why it ended", async () => {
  let asked: unknown;
  const server = await startGrpcServer((stream, { body }) => {
    asked = fromBinary(WatchRequestSchema, body.subarray(5)).keys?.keys;
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => {
      stream.sendTrailers({ "grpc-status": "14", "grpc-message": "stopping" });
    });
    stream.end(Buffer.concat([told(), told(5n, 6n), told(8n), told(8n), told(7n)]));
  });
  try {
    const { connection, close, closed } = await dial(server.target, AbortSignal.timeout(10_000));
    const begun = Promise.withResolvers<void>();
    const written: number[] = [];
    const call = WatchCall.begin("watched/", {
      connection,
      headers: requestHeaders(server.target, watchPath),
      onBegun: begun.resolve,
      onEvent: (writtenMs) => written.push(writtenMs),
    });
    connection.flush();
    await begun.promise;
    while (call.ending === undefined) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(asked, { case: "prefix", value: "watched/" });
    assert.deepEqual(written, [50, 60, 80, 80, 70]);
    assert.deepEqual([call.events, call.misplaced], [5, 2]);
    assert.equal(call.ending, "gRPC status 14: stopping");
    close();
    await closed;
  } finally {
    await server.close();
  }
});
