import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerHttp2Stream } from "node:http2";
import { dkvMethods } from "../../src/systems/dkv-messages.ts";
import { OpenLoop, type Outcome } from "../../src/workload/open-loop.ts";
import { Data } from "../../src/workload/work.ts";
import { type Answer, type GrpcServer, refuse, reply, startGrpcServer } from "../fixtures/grpc-server.ts";

const valueBytes = 20;

interface Run {
  readonly load: OpenLoop;
  readonly outcomes: readonly Outcome[];
  /** Resolves when there are so many outcomes. */
  reach(count: number): Promise<void>;
}

async function startLoad(servers: readonly GrpcServer[], perSecond = 500): Promise<Run> {
  const outcomes: Outcome[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const load = await OpenLoop.start({
    method: dkvMethods(valueBytes).set,
    data: new Data({ keys: 10, valueBytes, seed: 1 }),
    targets: servers.map(({ target }) => target),
    connectionsPerTarget: 2,
    perSecond,
    onOutcome: (outcome) => {
      outcomes.push(outcome);
      for (const { count, resolve } of waiting) if (outcomes.length >= count) resolve();
    },
    signal: new AbortController().signal,
  });
  const reach = (count: number): Promise<void> =>
    new Promise((resolve) => {
      waiting.push({ count, resolve });
      if (outcomes.length >= count) resolve();
    });
  return { load, outcomes, reach };
}

async function withServers(
  answers: readonly Answer[],
  use: (servers: readonly GrpcServer[]) => Promise<void>,
) {
  const servers = await Promise.all(answers.map((answer) => startGrpcServer(answer)));
  try {
    await use(servers);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

const accept: Answer = (stream) => {
  reply(stream, Buffer.from([1]));
};

test("calls go to all targets in turn, and each has one outcome", async () => {
  await withServers([accept, accept], async (servers) => {
    const { load, outcomes, reach } = await startLoad(servers);
    await reach(40);
    await load.stop();
    assert.deepEqual(new Set(outcomes.map(({ problem }) => problem)), new Set([undefined]));
    const [first = 0, second = 0] = servers.map(
      (server) => outcomes.filter(({ target }) => target === server.target).length,
    );
    assert.ok(Math.abs(first - second) <= 2, `${first} and ${second}`);
    assert.ok(outcomes.every(({ intendedMs, sentMs, endedMs }) => intendedMs <= sentMs && sentMs <= endedMs));
  });
});

test("calls are sent although nothing is answered, and stopping waits for the answers", async () => {
  const open: ServerHttp2Stream[] = [];
  const arrived = Promise.withResolvers<void>();
  let isHolding = true;
  const hold: Answer = (stream, request) => {
    if (!isHolding) {
      accept(stream, request);
      return;
    }
    open.push(stream);
    if (open.length === 30) arrived.resolve();
  };
  await withServers([hold], async (servers) => {
    const { load, outcomes } = await startLoad(servers);
    await arrived.promise;
    assert.equal(outcomes.length, 0);
    const stopped = load.stop();
    isHolding = false;
    for (const stream of open) reply(stream, Buffer.from([1]));
    await stopped;
    assert.ok(outcomes.length >= 30);
    assert.ok(outcomes.every(({ problem }) => problem === undefined));
  });
});

test("a refused call is an outcome with its problem", async () => {
  const refuseAll: Answer = (stream) => {
    refuse(stream, { "grpc-status": "14", "grpc-message": "no leader" });
  };
  await withServers([refuseAll], async (servers) => {
    const { load, outcomes, reach } = await startLoad(servers);
    await reach(5);
    await load.stop();
    assert.ok(outcomes.every(({ problem }) => problem === "gRPC status 14: no leader"));
  });
});

test("a lost connection fails what was open on it and is made again", async () => {
  let isFirst = true;
  const failOnce: Answer = (stream, request) => {
    if (isFirst) stream.session?.destroy();
    else accept(stream, request);
    isFirst = false;
  };
  await withServers([failOnce], async (servers) => {
    const { load, outcomes, reach } = await startLoad(servers);
    await reach(100);
    await load.stop();
    assert.ok(outcomes.some(({ problem }) => problem !== undefined));
    assert.equal(outcomes.at(-1)?.problem, undefined);
    assert.equal(servers[0]?.sessions.length, 3);
  });
});

test("what came due while there was no connection is sent late, not left out", async () => {
  let isFirst = true;
  const failOnce: Answer = (stream, request) => {
    if (isFirst) for (const session of servers[0]?.sessions ?? []) session.destroy();
    else accept(stream, request);
    isFirst = false;
  };
  let servers: readonly GrpcServer[] = [];
  await withServers([failOnce], async (started) => {
    servers = started;
    const { load, outcomes, reach } = await startLoad(servers, 1000);
    await reach(200);
    await load.stop();
    const moments = outcomes.map(({ intendedMs }) => intendedMs).sort((one, other) => one - other);
    assert.ok(
      moments.every((at, index) => index === 0 || Math.abs(at - (moments[index - 1] ?? 0) - 1) < 0.01),
    );
    assert.ok(outcomes.some(({ intendedMs, sentMs }) => sentMs - intendedMs > 25));
  });
});
