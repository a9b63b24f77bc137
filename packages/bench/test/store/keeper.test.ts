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
    assert.equal(keeper.breaks.total, 0);
  });
});

test("a stream that has ended is begun again, and what it has not answered is asked again", async () => {
  const asked = new Map<number, Set<ServerHttp2Stream>>();
  const again = Promise.withResolvers<void>();
  const ttlOf = (lease: number, stream: ServerHttp2Stream): number | undefined => {
    const streams = (asked.get(lease) ?? new Set()).add(stream);
    asked.set(lease, streams);
    if (lease === 1) return 60;
    if (streams.size === 2) {
      again.resolve();
      return 60;
    }
    if (stream.writableEnded) return undefined;
    stream.once("wantTrailers", () => {
      stream.sendTrailers({ "grpc-status": "14", "grpc-message": "stopping" });
    });
    stream.end();
    return undefined;
  };
  await keeping({ leases: 2, ttlSeconds: 3 }, ttlOf, async (keeper, ledger) => {
    for (const lease of [1, 2]) ledger.granted(lease, performance.now());
    keeper.begin();
    await again.promise;
    await keeper.stop();
    assert.deepEqual(keeper.breaks.byKind, { "gRPC status 14: stopping": 1 });
    assert.equal(asked.get(1)?.size, 1);
    const { sent, answered, missed } = ledger.keepAlives;
    assert.deepEqual({ answered, missed }, { answered: sent, missed: 0 });
  });
});

test("what is never answered while the lease lives is missed", async () => {
  const asked = Promise.withResolvers<void>();
  const ttlOf = (): undefined => {
    asked.resolve();
  };
  await keeping({ leases: 1, ttlSeconds: 0.3 }, ttlOf, async (keeper, ledger) => {
    ledger.granted(1, performance.now());
    keeper.begin();
    await asked.promise;
    await keeper.stop();
    const { sent, answered, missed } = ledger.keepAlives;
    assert.deepEqual({ answered, missed }, { answered: 0, missed: sent });
  });
});
