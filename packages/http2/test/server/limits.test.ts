import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import {
  decodeHeaderBlock,
  errorCode,
  frame,
  frameType,
  preface,
  resetFrame,
  setting,
  settingsFrame,
  windowUpdateFrame,
} from "../../src/index.ts";
import {
  connect,
  data,
  echo,
  endBoth,
  headers,
  okBlock,
  post,
  RawClient,
  serve,
  Silent,
  trailerBlock,
} from "./raw-client.ts";

const few = { burst: 20, perSecond: 1 };

describe("a client may not", () => {
  it("have more open streams than the limit", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler, { maxConcurrentStreams: 2 });
    const client = connect(t, port);
    client.send(headers(1), headers(3), headers(5));
    assert.equal(await client.resetCode(5), errorCode.refusedStream);
    client.send(resetFrame(1, 8), headers(7));
    await client.settle();
    assert.equal(silent.streams.length, 3);
  });

  it("send a header list over the limit, and is told so", async (t) => {
    const { port } = await serve(t, echo, { maxHeaderListBytes: 1000 });
    const client = connect(t, port);
    client.send(headers(1, [...post, ["a", "x".repeat(1000)]], endBoth), headers(3, post, endBoth));
    const { payload } = await client.frame(frameType.headers, 1);
    assert.deepEqual(decodeHeaderBlock(payload), [[":status", "431"]]);
    await client.frame(frameType.data, 3);
  });

  const endless = (payload: Buffer): Buffer =>
    frame({ type: frameType.continuation, flags: 0, streamId: 1 }, payload);
  it("send a header block without end, of many bytes or of many frames", async (t) => {
    const { port } = await serve(t, echo);
    for (const [payload, count] of [
      [Buffer.alloc(16_000, 0x82), 5] as const,
      [Buffer.alloc(0), 40] as const,
    ]) {
      const client = connect(t, port);
      client.send(headers(1, post, 0), ...Array.from({ length: count }, () => endless(payload)));
      assert.equal(await client.goAwayCode(), errorCode.enhanceYourCalm);
    }
  });

  const floods: readonly { what: string; send: (id: number) => readonly Buffer[] }[] = [
    { what: "cancel calls", send: (id) => [headers(id), resetFrame(id, 8)] },
    {
      what: "have us end its streams",
      send: (id) => [headers(id), data(id, Buffer.alloc(0), 1), data(id, "x")],
    },
    { what: "ask for malformed things", send: (id) => [headers(id, [["a", "b"]])] },
    { what: "ping", send: () => [frame({ type: frameType.ping, flags: 0, streamId: 0 }, Buffer.alloc(8))] },
    { what: "change its settings", send: () => [settingsFrame([])] },
    {
      what: "send kinds that nobody knows",
      send: () => [frame({ type: 99, flags: 0, streamId: 0 }, Buffer.alloc(0))],
    },
    { what: "send PRIORITY", send: () => [frame({ type: 2, flags: 0, streamId: 1 }, Buffer.alloc(5))] },
  ];
  for (const { what, send } of floods) {
    it(`${what} without end`, async (t) => {
      const { port } = await serve(t, new Silent().handler, { resets: few, noise: few, settings: few });
      const client = connect(t, port);
      for (let count = 0; count < 30; count += 1) client.send(...send(2 * count + 1));
      assert.equal(await client.goAwayCode(), errorCode.enhanceYourCalm);
    });
  }

  it("send empty DATA without end", async (t) => {
    const { port } = await serve(t, new Silent().handler, { noise: few });
    const client = connect(t, port);
    client.send(headers(1), ...Array.from({ length: 30 }, () => data(1, "")));
    assert.equal(await client.goAwayCode(), errorCode.enhanceYourCalm);
  });

  it("be slow to say its first words", async (t) => {
    const { port } = await serve(t, echo, { openingTimeoutMs: 50 });
    for (const first of [preface.subarray(0, 10), preface]) {
      const client = new RawClient(port);
      client.send(first);
      assert.equal(await client.goAwayCode(), errorCode.settingsTimeout);
    }
  });

  it("fill our memory with replies that it does not read", async (t) => {
    const { port, sockets } = await serve(t, echo, { noise: { burst: 1_000_000, perSecond: 1 } });
    const client = connect(t, port);
    await client.settle();
    client.socket.pause();
    const ping = frame({ type: frameType.ping, flags: 0, streamId: 0 }, Buffer.alloc(8));
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => ping));
    const [socket] = sockets;
    for (let count = 0; count < 60; count += 1) {
      client.send(many);
      await new Promise(setImmediate);
      assert.ok((socket?.writableLength ?? 0) < 2_000_000, "replies are bounded");
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok((socket?.writableLength ?? 0) < 2_000_000, "replies stay bounded");
    client.socket.resume();
    await client.until(() => (client.seen.length > 600_000 ? true : undefined));
  });

  it("take nothing of what waits for it", async (t) => {
    const silent = new Silent();
    const { port, broken, sockets } = await serve(t, silent.handler, { stallTimeoutMs: 50 });
    const client = connect(t, port, [[setting.initialWindowSize, 2 ** 30]]);
    client.send(windowUpdateFrame(0, 2 ** 30), headers(1, post, endBoth));
    await client.settle();
    client.socket.pause();
    silent.streams[0]?.answer({ headers: okBlock, body: Buffer.alloc(2 ** 25), trailers: trailerBlock });
    const [socket] = sockets;
    if (socket?.destroyed === false) await once(socket, "close");
    assert.match(String(broken[0]), /takes no answers/);
  });
});

describe("the end of a connection", () => {
  it("waits for what was asked before, and refuses what comes after", async (t) => {
    const silent = new Silent();
    const { port, sessions } = await serve(t, silent.handler);
    const client = connect(t, port);
    client.send(headers(1, post, endBoth));
    await client.settle();
    sessions[0]?.drain();
    const goAway = await client.frame(frameType.goAway);
    assert.deepEqual([goAway.payload.readUInt32BE(0), goAway.payload.readUInt32BE(4)], [1, errorCode.none]);
    client.send(headers(3, post, endBoth));
    assert.equal(await client.resetCode(3), errorCode.refusedStream);
    silent.streams[0]?.answer({ headers: okBlock, body: Buffer.from("bye"), trailers: trailerBlock });
    await client.frame(frameType.data, 1);
    await once(client.socket, "close");
    assert.equal(silent.streams.length, 1);
  });

  it("is at once when nothing was asked", async (t) => {
    const { port, sessions } = await serve(t, echo);
    const client = connect(t, port);
    await client.settle();
    sessions[0]?.drain();
    assert.equal(await client.goAwayCode(), errorCode.none);
  });

  it("reaches every handler whose client vanishes", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler);
    const client = connect(t, port);
    client.send(headers(1), headers(3, post, endBoth));
    await client.settle();
    client.socket.destroy();
    while (silent.events.filter((event) => event === "abort").length < 2) await new Promise(setImmediate);
    const [stream] = silent.streams;
    assert.equal(stream?.isOpen, false);
    // In vain, and no harm.
    stream?.answer({ headers: okBlock, body: Buffer.from("x"), trailers: trailerBlock });
  });

  it("of a stream reaches its handler, and an answer to it is dropped", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler);
    const client = connect(t, port);
    client.send(headers(1, post, endBoth), resetFrame(1, errorCode.cancel));
    await client.settle();
    assert.deepEqual(silent.events, ["end 0", "abort"]);
    silent.streams[0]?.answer({ headers: okBlock, body: Buffer.from("x"), trailers: trailerBlock });
    await client.settle();
    assert.equal(
      client.seen.some(({ streamId }) => streamId === 1),
      false,
    );
  });

  it("of what is sent to a client without a table begins with a word about it", async (t) => {
    const { port } = await serve(t, echo);
    const client = connect(t, port, [[setting.headerTableSize, 0]]);
    client.send(headers(1, post, endBoth), headers(3, post, endBoth));
    assert.equal((await client.frame(frameType.headers, 1)).payload[0], 0x20);
    assert.notEqual((await client.frame(frameType.headers, 3)).payload[0], 0x20);
  });
});
