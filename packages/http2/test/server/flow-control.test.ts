import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { errorCode, frameType, setting, settingsFrame, windowUpdateFrame } from "../../src/index.ts";
import {
  connect,
  data,
  echo,
  endBoth,
  headers,
  okBlock,
  post,
  serve,
  Silent,
  trailerBlock,
} from "./raw-client.ts";

const answerOf = (bytes: number) => ({
  headers: okBlock,
  body: Buffer.alloc(bytes, 1),
  trailers: trailerBlock,
});

describe("what is sent", () => {
  it("waits for the stream's window, which may be negative", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler);
    const client = connect(t, port, [[setting.initialWindowSize, 100]]);
    client.send(headers(1, post, endBoth));
    await client.settle();
    silent.streams[0]?.answer(answerOf(250));
    await client.settle();
    assert.equal(client.bytesOf(1), 100);
    // 100 were used of a window that now is 40: it is at -60, and opens at 61.
    client.send(settingsFrame([[setting.initialWindowSize, 40]]), windowUpdateFrame(1, 60));
    await client.settle();
    assert.equal(client.bytesOf(1), 100);
    client.send(windowUpdateFrame(1, 1));
    await client.settle();
    assert.equal(client.bytesOf(1), 101);
    client.send(settingsFrame([[setting.initialWindowSize, 1000]]));
    await client.until(() => (client.bytesOf(1) === 250 ? true : undefined));
    const last = await client.until(() => client.seen.findLast(({ streamId }) => streamId === 1));
    assert.equal(last.type, frameType.headers);
    assert.equal(last.flags, endBoth);
  });

  it("waits for the connection's window, and streams take turns", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler);
    const client = connect(t, port, [[setting.initialWindowSize, 2 ** 20]]);
    client.send(headers(1, post, endBoth), headers(3, post, endBoth));
    await client.settle();
    for (const stream of silent.streams) stream.answer(answerOf(60_000));
    await client.settle();
    assert.equal(client.bytesOf(1) + client.bytesOf(3), 65_535);
    client.send(windowUpdateFrame(0, 32_768));
    await client.settle();
    assert.equal(client.bytesOf(1) + client.bytesOf(3), 65_535 + 32_768);
    client.send(windowUpdateFrame(0, 1_000_000));
    await client.until(() => (client.bytesOf(1) + client.bytesOf(3) === 120_000 ? true : undefined));
  });

  it("is told to a handler that waits for it", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler);
    const client = connect(t, port, [[setting.initialWindowSize, 10]]);
    client.send(headers(1, post, endBoth));
    await client.settle();
    const [stream] = silent.streams;
    stream?.begin(okBlock);
    assert.equal(stream?.write(Buffer.alloc(10)), "sent");
    assert.equal(stream?.write(Buffer.alloc(5)), "waits");
    const drains = silent.events.filter((event) => event === "drain").length;
    client.send(windowUpdateFrame(1, 5));
    await client.until(() => (client.bytesOf(1) === 15 ? true : undefined));
    assert.equal(silent.events.filter((event) => event === "drain").length, drains + 1);
  });

  it("stays with us while the client does not read, and then all comes", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler);
    const client = connect(t, port, [[setting.initialWindowSize, 2 ** 30]]);
    client.send(windowUpdateFrame(0, 2 ** 30), headers(1, post, endBoth));
    await client.settle();
    client.socket.pause();
    const bytes = 30_000_000;
    silent.streams[0]?.answer(answerOf(bytes));
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.socket.resume();
    await client.until(() => (client.bytesOf(1) === bytes ? true : undefined));
  });
});

describe("what is received", () => {
  it("is bounded by the stream's window until it is released", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler, { streamWindowBytes: 1000 });
    const client = connect(t, port);
    client.send(headers(1), data(1, Buffer.alloc(1000)));
    await client.settle();
    assert.equal(
      client.seen.some(({ type, streamId }) => type === frameType.windowUpdate && streamId === 1),
      false,
    );
    silent.streams[0]?.release(1000);
    const update = await client.frame(frameType.windowUpdate, 1);
    assert.equal(update.payload.readUInt32BE(0), 1000);
    client.send(data(1, Buffer.alloc(1001)));
    assert.equal(await client.resetCode(1), errorCode.flowControl);
  });

  it("is bounded by the connection's window", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler, { connectionWindowBytes: 65_536 });
    const client = connect(t, port);
    client.send(headers(1), ...Array.from({ length: 5 }, () => data(1, Buffer.alloc(16_384))));
    assert.equal(await client.goAwayCode(), errorCode.flowControl);
  });

  it("opens the connection's window again for bodies that nobody read", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler, { connectionWindowBytes: 65_536 });
    const client = connect(t, port);
    for (let id = 1; id < 41; id += 2) {
      client.send(headers(id), data(id, Buffer.alloc(16_000)));
      await client.settle();
      silent.streams.at(-1)?.cancel();
      await client.resetCode(id);
    }
    assert.equal(client.isClosed, false);
  });

  it("is many small writes or few large ones alike", async (t) => {
    const { port } = await serve(t, echo);
    const client = connect(t, port);
    const request = Buffer.concat([headers(1), data(1, "abc"), data(1, "def", 1)]);
    for (const byte of request) {
      client.send(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    assert.equal((await client.frame(frameType.data, 1)).payload.toString(), "abcdef");
    client.socket.end();
    await once(client.socket, "close");
  });
});
