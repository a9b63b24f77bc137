import assert from "node:assert/strict";
import type { ServerHttp2Stream } from "node:http2";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { LeaseKeepAliveRequestSchema, LeaseKeepAliveResponseSchema } from "@dkv/protocol/etcdserverpb/rpc";
import { frameMessage } from "../../src/grpc/message.ts";
import { MessageReader } from "../../src/grpc/message-reader.ts";
import { Keeper } from "../../src/store/lease/keeper.ts";
import { LeaseLedger } from "../../src/store/lease/ledger.ts";
import { startStreamingServer } from "../fixtures/grpc-server.ts";

const tooLongMs = 10_000;

/** One that answers each request in its turn: with the seconds that `ttlOf` says, undefined not at all. */
async function keeping(
  { leases, ttlSeconds }: { readonly leases: number; readonly ttlSeconds: number },
  ttlOf: (lease: number, stream: ServerHttp2Stream) => number | undefined,
  use: (keeper: Keeper, ledger: LeaseLedger) => Promise<void>,
): Promise<void> {
  const server = await startStreamingServer((stream) => {
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    const reader = new MessageReader((source, start, end) => {
      const { ID } = fromBinary(LeaseKeepAliveRequestSchema, source.subarray(start, end));
      const ttl = ttlOf(Number(ID), stream);
      if (ttl === undefined) return;
      const answer = create(LeaseKeepAliveResponseSchema, { ID, TTL: BigInt(ttl) });
      stream.write(frameMessage(toBinary(LeaseKeepAliveResponseSchema, answer)));
    });
    stream.on("data", (part: Buffer) => {
      reader.accept(part, 0, part.length);
    });
  });
  const ledger = new LeaseLedger({ leases, ttlSeconds });
  const signal = AbortSignal.timeout(tooLongMs);
  const targets = [server.target];
  const keeper = await Keeper.open({ targets, streams: 2, leases, ttlSeconds, ledger, signal });
  try {
    await use(keeper, ledger);
  } finally {
    keeper.close();
    await server.close();
  }
}

test("leases are asked for in turn, each on its stream, and those that are not there are left out", async () => {
  const asked = new Map<number, ServerHttp2Stream[]>();
  const enough = Promise.withResolvers<void>();
  const ttlOf = (lease: number, stream: ServerHttp2Stream): number => {
    const streams = [...(asked.get(lease) ?? []), stream];
    asked.set(lease, streams);
    if (lease === 4 && streams.length === 2) enough.resolve();
    return lease === 3 ? 0 : 1;
  };
  await keeping({ leases: 5, ttlSeconds: 1 }, ttlOf, async (keeper, ledger) => {
    for (const lease of [1, 2, 3, 4]) ledger.granted(lease, performance.now());
    keeper.begin();
    await enough.promise;
    await keeper.stop();
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((lease) => Math.min(2, asked.get(lease)?.length ?? 0)),
      [2, 2, 1, 2, 0],
    );
    assert.ok([...asked.values()].every((streams) => new Set(streams).size === 1));
    assert.equal(new Set([...asked.values()].flat()).size, 2);
    const { sent, answered, missed } = ledger.keepAlives;
    assert.equal(sent, answered);
    assert.equal(missed, 1);
    assert.deepEqual(keeper.problems, []);
  });
});

test("what a stream that ends has not answered is missed, and why it ended is told", async () => {
  const ttlOf = (lease: number, stream: ServerHttp2Stream): number | undefined => {
    if (lease === 1) return 1;
    stream.once("wantTrailers", () => {
      stream.sendTrailers({ "grpc-status": "14", "grpc-message": "stopping" });
    });
    stream.end();
    return undefined;
  };
  await keeping({ leases: 2, ttlSeconds: 1 }, ttlOf, async (keeper, ledger) => {
    for (const lease of [1, 2]) ledger.granted(lease, performance.now());
    keeper.begin();
    while (keeper.problems.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await keeper.stop();
    assert.deepEqual(keeper.problems, ["gRPC status 14: stopping"]);
    const { sent, answered, missed } = ledger.keepAlives;
    assert.equal(missed, sent - answered);
    assert.ok(missed >= 1);
  });
});
