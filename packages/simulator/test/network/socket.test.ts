import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Conditions } from "../../src/network/conditions.ts";
import { Network } from "../../src/network/network.ts";
import { connect, createServer, firstPort, setStage } from "../../src/network/node-net.ts";
import type { SimSocket } from "../../src/network/socket.ts";
import { Life } from "../../src/world/life.ts";
import { Prng } from "../../src/world/random.ts";
import { Trace } from "../../src/world/trace.ts";
import { World } from "../../src/world/world.ts";

interface Pair {
  readonly world: World;
  readonly network: Network;
  readonly lives: readonly [Life, Life];
  /** Connected, each end in its own process. */
  readonly ends: Promise<readonly [SimSocket, SimSocket]>;
}

/** Two machines, the second of which listens. */
function pair(splitChance = 0, windowBytes = 1 << 17): Pair {
  const world = new World(new Trace());
  const options = { minDelayUs: 100, maxDelayUs: 900, lateChance: 0, splitChance, windowBytes };
  const network = new Network(world, new Conditions(options, new Prng(1, "network")), new Prng(1, "cuts"));
  setStage(network);
  const lives = [new Life(world, 0), new Life(world, 1)] as const;
  const accepted = Promise.withResolvers<SimSocket>();
  const connected = Promise.withResolvers<SimSocket>();
  lives[1].after(0, "client", () => {
    createServer({}, accepted.resolve).listen({ port: firstPort + 1 });
  });
  lives[0].after(1000, "client", () => {
    const socket = connect({ port: firstPort + 1 });
    socket.once("connect", () => {
      connected.resolve(socket);
    });
  });
  const ends = Promise.all([connected.promise, accepted.promise] as const);
  return { world, network, lives, ends };
}

/** All bytes that come, as one text. */
function gather(socket: SimSocket): () => string {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  return () => Buffer.concat(chunks).toString();
}

describe("a simulated connection", () => {
  it("delivers every byte in order, in whatever pieces", async () => {
    const { world, ends } = pair(0.8);
    await world.run(20_000);
    const [client, server] = await ends;
    const received = gather(server);
    const sent = Array.from({ length: 50 }, (_, number) => `message ${String(number)};`);
    for (const text of sent) client.write(Buffer.from(text));
    client.end();
    await world.run(200_000);
    assert.equal(received(), sent.join(""));
    assert.equal(server.destroyed, true);
  });

  it("delivers a beginning and then breaks, if it is cut", async () => {
    const { world, ends } = pair();
    await world.run(20_000);
    const [client, server] = await ends;
    const received = gather(server);
    let reason = "";
    server.on("error", (error: Error) => (reason = error.message));
    client.on("error", () => undefined);
    client.write(Buffer.from("first"));
    await world.run(40_000);
    client.write(Buffer.from("second"));
    client.write(Buffer.from("third"));
    client.cut();
    await world.run(60_000);
    assert.ok("firstsecond".startsWith(received()) && received().startsWith("first"));
    assert.match(reason, /ECONNRESET/);
  });

  it("holds bytes back while the way is blocked, and delivers them afterwards", async () => {
    const { world, network, ends } = pair();
    await world.run(20_000);
    const [client, server] = await ends;
    const received = gather(server);
    network.conditions.block(0, 1);
    client.write(Buffer.from("late"));
    await world.run(500_000);
    assert.equal(received(), "");
    network.conditions.unblock(0, 1);
    await world.run(600_000);
    assert.equal(received(), "late");
  });

  it("makes a writer wait for a reader that reads nothing", async () => {
    const { world, ends } = pair();
    await world.run(20_000);
    const [client, server] = await ends;
    server.pause();
    assert.equal(client.write(Buffer.alloc(200 * 1024)), false);
    await world.run(40_000);
    assert.equal(client.writableNeedDrain, true);
    assert.ok(client.writableLength > 0);
    let drained = false;
    client.on("drain", () => (drained = true));
    await server[Symbol.asyncIterator]().next();
    await world.run(60_000);
    assert.equal(drained, true);
    assert.equal(client.writableLength, 0);
  });

  it("holds a writer up once more is on its way than the window takes", async () => {
    for (const windowBytes of [1000, 2000]) {
      const { world, ends } = pair(0, windowBytes);
      await world.run(20_000);
      const [client, server] = await ends;
      server.pause();
      assert.equal(client.write(Buffer.alloc(1000)), true);
      assert.equal(client.write(Buffer.alloc(1000)), windowBytes === 2000);
      assert.equal(world.probes.count("writer held up"), windowBytes === 2000 ? 0 : 1);
      assert.equal(client.writableLength, 2000 - windowBytes);
    }
  });

  it("tells the other side when a process ends, and does not when the machine goes with it", async () => {
    for (const withWord of [true, false]) {
      const { world, network, lives, ends } = pair();
      await world.run(20_000);
      const [client] = await ends;
      let isClosed = false;
      client.on("error", () => undefined);
      client.on("close", () => (isClosed = true));
      lives[1].end();
      network.ended(lives[1], withWord);
      await world.run(1_000_000);
      assert.equal(isClosed, withWord);
    }
  });
});
