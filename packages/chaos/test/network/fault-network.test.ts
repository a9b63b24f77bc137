import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { FaultNetwork } from "../../src/network/fault-network.ts";
import type { Disturbance, Effect } from "../../src/network/effects.ts";
import { Random } from "../../src/random.ts";

/** An echo behind a proxy, and a way to dial it as a member of that name. */
class Bench {
  readonly network: FaultNetwork;
  /** Sockets of the echo, in the order of their coming. */
  readonly arrived: Socket[] = [];
  readonly #names = new Map<number, string>();
  readonly #dialled: Socket[] = [];
  #address = { host: "", port: 0 };

  constructor() {
    this.network = new FaultNetwork({
      random: new Random(1, "test"),
      dialerAt: async (port) => {
        // Both ends are in this process: who is accepted may learn only now that it is connected.
        await new Promise((resolve) => setImmediate(resolve));
        return this.#names.get(port);
      },
    });
  }

  async open(test: TestContext): Promise<void> {
    const echo = createServer({ allowHalfOpen: true }, (socket) => {
      this.arrived.push(socket);
      socket.on("error", () => undefined);
      socket.pipe(socket);
    });
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    const bound = echo.address();
    assert.ok(bound !== null && typeof bound === "object");
    const [host = "", port = ""] = (await this.network.open("b", `127.0.0.1:${bound.port}`)).split(":");
    this.#address = { host, port: Number(port) };
    test.after(() => {
      this.network.close();
      for (const socket of [...this.#dialled, ...this.arrived]) socket.destroy();
      echo.close();
    });
  }

  /** Resolves when it is connected to the proxy, which may not have passed it on. */
  async dial(name: string): Promise<Socket> {
    const socket = connect({ ...this.#address, noDelay: true });
    // The local port is known before anybody has accepted.
    socket.once("connect", () => this.#names.set(socket.localPort ?? 0, name));
    socket.on("error", () => undefined);
    this.#dialled.push(socket);
    await once(socket, "connect");
    return socket;
  }

  impose(effect: Effect, hits: Disturbance["hits"] = () => true): () => void {
    return this.network.impose({ effect, hits });
  }
}

async function opened(test: TestContext): Promise<Bench> {
  const bench = new Bench();
  await bench.open(test);
  return bench;
}

/** Whether in order or not. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
  });
}

async function echoed(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  let heard = "";
  while (heard.length < text.length) heard += String((await once(socket, "data"))[0]);
  return heard;
}

describe("a proxy between members", { timeout: 20_000 }, () => {
  it("passes on what is said, both ways, and the end of it", async (test) => {
    const bench = await opened(test);
    const socket = await bench.dial("a");
    assert.equal(await echoed(socket, "hello"), "hello");
    socket.end("bye");
    let rest = "";
    for await (const chunk of socket) rest += String(chunk);
    assert.equal(rest, "bye");
  });

  it("passes nothing on a blocked link, and everything in order when it is healed", async (test) => {
    const bench = await opened(test);
    const [blocked, free] = [await bench.dial("a"), await bench.dial("c")];
    assert.equal(await echoed(blocked, "1"), "1");
    assert.equal(await echoed(free, "1"), "1");
    const lift = bench.impose({ kind: "block" }, ({ from, to }) => from === "a" && to === "b");
    let heard = "";
    blocked.on("data", (bytes) => {
      heard += String(bytes);
    });
    blocked.write("2");
    blocked.write("3");
    // By then the blocked ones would have come as well.
    for (let turn = 0; turn < 20; turn += 1) assert.equal(await echoed(free, "still"), "still");
    assert.equal(heard, "");
    lift();
    while (heard.length < 2) await once(blocked, "data");
    assert.equal(heard, "23");
  });

  it("connects nobody on a blocked link until it is healed", async (test) => {
    const bench = await opened(test);
    const lift = bench.impose({ kind: "block" }, ({ from }) => from === "a");
    const blocked = await bench.dial("a");
    const free = await bench.dial("c");
    assert.equal(await echoed(free, "1"), "1");
    assert.equal(bench.arrived.length, 1);
    const answer = echoed(blocked, "2");
    lift();
    assert.equal(await answer, "2");
    assert.equal(bench.arrived.length, 2);
  });

  it("delays everything and keeps its order", async (test) => {
    const bench = await opened(test);
    const socket = await bench.dial("a");
    assert.equal(await echoed(socket, "at once"), "at once");
    bench.impose({ kind: "delay", ms: 40, jitterMs: 20 });
    const from = performance.now();
    const text = Array.from({ length: 50 }, (_, at) => String(at)).join(" ");
    assert.equal(await echoed(socket, text), text);
    assert.ok(performance.now() - from >= 79, "there and back");
  });

  it("resets connections, one after the other, as long as it lasts", async (test) => {
    const bench = await opened(test);
    const sockets = [await bench.dial("a"), await bench.dial("a")];
    for (const socket of sockets) assert.equal(await echoed(socket, "1"), "1");
    const failures = Promise.all(sockets.map(closed));
    const lift = bench.impose({ kind: "reset", meanMs: 5 });
    await failures;
    lift();
    assert.equal(bench.network.connections, 0);
    assert.equal(await echoed(await bench.dial("a"), "2"), "2");
  });

  it("cuts a connection in the middle of what is said", async (test) => {
    const bench = await opened(test);
    const socket = await bench.dial("a");
    assert.equal(await echoed(socket, "1"), "1");
    const [goal] = bench.arrived;
    assert.ok(goal !== undefined);
    let arrived = 0;
    goal.on("data", (bytes: Buffer) => {
      arrived += bytes.length;
    });
    const ended = Promise.all([closed(goal), closed(socket)]);
    bench.impose({ kind: "cut", meanBytes: 1_000 });
    socket.resume();
    socket.write(Buffer.alloc(100_000));
    await ended;
    assert.ok(arrived <= 2_000, `${arrived} bytes have arrived`);
    assert.equal(bench.network.connections, 0);
  });

  it("lets connections fall silent without a word, and leaves new ones alone afterwards", async (test) => {
    const bench = await opened(test);
    const socket = await bench.dial("a");
    assert.equal(await echoed(socket, "1"), "1");
    const lift = bench.impose({ kind: "silence", probability: 1 });
    socket.on("data", () => assert.fail("nothing comes back"));
    socket.write("lost");
    lift();
    socket.write("lost as well");
    const next = await bench.dial("a");
    for (let turn = 0; turn < 20; turn += 1) assert.equal(await echoed(next, "still"), "still");
    assert.equal(bench.arrived.length, 2);
  });

  it("takes nothing more from a sender than it can hold while the link is blocked", async (test) => {
    const bench = await opened(test);
    const socket = await bench.dial("a");
    assert.equal(await echoed(socket, "1"), "1");
    const lift = bench.impose({ kind: "block" });
    const total = 64 * 2 ** 20;
    socket.write(Buffer.alloc(total));
    // The kernel's buffers and ours are full when the sender has got rid of no more for many turns.
    for (let before = -1; before !== socket.writableLength; ) {
      before = socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(socket.writableLength > 32 * 2 ** 20, `${total - socket.writableLength} bytes were taken`);
    lift();
  });

  it("turns away who cannot be told", async (test) => {
    const bench = await opened(test);
    const { network } = bench;
    const address = await network.open("d", "127.0.0.1:9");
    const [host = "", port = ""] = address.split(":");
    const stranger = connect({ host, port: Number(port) });
    stranger.on("error", () => undefined);
    await closed(stranger);
    assert.equal(network.connections, 0);
  });
});
