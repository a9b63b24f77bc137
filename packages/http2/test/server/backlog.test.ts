/** Answers that their client does not take, or takes slowly. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import {
  errorCode,
  frame,
  frameFlag,
  frameType,
  goAwayFrame,
  resetFrame,
  type ServerStream,
  setting,
  settingsFrame,
  windowUpdateFrame,
} from "../../src/index.ts";
import {
  connect,
  data,
  echo,
  endBoth,
  endStream,
  headers,
  okBlock,
  post,
  serve,
  Silent,
  trailerBlock,
} from "./raw-client.ts";

const ping = (): Buffer => frame({ type: frameType.ping, flags: 0, streamId: 0 }, Buffer.alloc(8));
const large = { headers: okBlock, body: Buffer.alloc(60_000, "x"), trailers: trailerBlock };
const small = { headers: okBlock, body: Buffer.from("small"), trailers: trailerBlock };

const nth = (streams: readonly ServerStream[], position: number): ServerStream =>
  streams[position] ?? assert.fail("there is such a stream");

describe("answers that wait", () => {
  it("end without trailers below a window that has become negative", async (t) => {
    const silent = new Silent();
    const { port, broken } = await serve(t, silent.handler);
    const client = connect(t, port, [[setting.initialWindowSize, 30_000]]);
    client.send(headers(1, post, endBoth));
    await client.settle();
    const stream = nth(silent.streams, 0);
    stream.begin(okBlock);
    assert.equal(stream.write(Buffer.alloc(40_000, "y")), "waits");
    stream.end();
    await client.until(() => (client.bytesOf(1) === 30_000 ? true : undefined));
    client.send(
      Buffer.concat([windowUpdateFrame(1, 10_000), settingsFrame([[setting.initialWindowSize, 0]])]),
    );
    const last = await client.until(() =>
      client.seen.find(({ type, flags }) => type === frameType.data && flags === frameFlag.endStream),
    );
    assert.equal(last.payload.length, 0);
    assert.equal(client.bytesOf(1), 40_000);
    assert.deepEqual(broken, []);
  });

  it("are refused to their maker when too much waits on the connection, or on all of them", async (t) => {
    for (const limits of [{ maxQueuedBytes: 50_000 }, { backlogBytes: 50_000 }]) {
      const silent = new Silent();
      const { port } = await serve(t, silent.handler, limits);
      const client = connect(t, port, [[setting.initialWindowSize, 10]]);
      client.send(headers(1, post, endBoth), headers(3, post, endBoth));
      await client.settle();
      assert.equal(nth(silent.streams, 0).answer(large), "taken");
      const second = nth(silent.streams, 1);
      assert.equal(second.answer(large), "overfull");
      assert.equal(second.isOpen, true);
      second.answerBriefly(trailerBlock);
      await client.frame(frameType.headers, 3);
      client.send(headers(5, post, endBoth));
      assert.equal(await client.resetCode(5), errorCode.refusedStream);
      client.send(windowUpdateFrame(1, 100_000));
      await client.until(() => (client.bytesOf(1) === 60_000 ? true : undefined));
      client.send(headers(7, post, endBoth));
      await client.settle();
      assert.equal(silent.streams.length, 3, "there is room again");
      client.socket.destroy();
    }
  });

  it("do not count against clients that are refused for want of room", async (t) => {
    const silent = new Silent();
    const { port, broken } = await serve(t, silent.handler, {
      maxQueuedBytes: 50_000,
      resets: { burst: 5, perSecond: 0 },
    });
    const client = connect(t, port, [[setting.initialWindowSize, 10]]);
    client.send(headers(1, post, endBoth));
    await client.settle();
    nth(silent.streams, 0).answer(large);
    for (let id = 3; id < 43; id += 2) client.send(headers(id, post, endBoth));
    await client.settle();
    assert.deepEqual(broken, []);
  });

  it("are given up when nothing of them is taken, and the connection goes on", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler, { stallTimeoutMs: 50 });
    const client = connect(t, port, [[setting.initialWindowSize, 10]]);
    client.send(headers(1, post, endBoth));
    await client.settle();
    nth(silent.streams, 0).answer(large);
    assert.equal(await client.resetCode(1), errorCode.enhanceYourCalm);
    client.send(headers(3, post, endBoth));
    await client.settle();
    nth(silent.streams, 1).answer({ ...small, body: Buffer.from("s") });
    assert.equal((await client.frame(frameType.data, 3)).payload.toString(), "s");
  });

  it("take turns without a visit to each of them when the window opens a little", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler);
    const client = connect(t, port, [[setting.initialWindowSize, 2 ** 20]]);
    const ids = Array.from({ length: 20 }, (_, position) => 2 * position + 1);
    client.send(...ids.map((id) => headers(id, post, endBoth)));
    await client.settle();
    for (const stream of silent.streams) stream.answer(large);
    const taken = (): number => ids.reduce((sum, id) => sum + client.bytesOf(id), 0);
    await client.until(() => (taken() === 65_535 ? true : undefined));
    for (let round = 1; round <= 40; round += 1) client.send(windowUpdateFrame(0, 40_000));
    await client.until(() => (taken() === 20 * 60_000 ? true : undefined));
  });
});

describe("an answer before its request has come whole", () => {
  it("leaves the rest of the request to come, and drops it", async (t) => {
    const silent = new Silent();
    const { port, broken } = await serve(t, silent.handler);
    const client = connect(t, port);
    client.send(headers(1));
    await client.settle();
    nth(silent.streams, 0).answer(small);
    await client.frame(frameType.data, 1);
    for (let chunk = 0; chunk < 300; chunk += 1) client.send(data(1, Buffer.alloc(10_000)));
    client.send(data(1, "", endStream));
    await client.settle();
    assert.ok(client.seen.every(({ type }) => type !== frameType.resetStream));
    assert.deepEqual(broken, []);
  });

  it("has the client stop when the rest has no end", async (t) => {
    const silent = new Silent();
    const { port } = await serve(t, silent.handler);
    const client = connect(t, port);
    client.send(headers(1));
    await client.settle();
    nth(silent.streams, 0).answer(small);
    for (let chunk = 0; chunk < 900; chunk += 1) client.send(data(1, Buffer.alloc(10_000)));
    assert.equal(await client.resetCode(1), errorCode.none);
  });
});

describe("a connection whose side has said goodbye", () => {
  it("is closed when its last stream ends, however that is", async (t) => {
    const silent = new Silent();
    const { port, sessions } = await serve(t, silent.handler);
    for (const end of ["answer", "cancel", "reset", "fault"] as const) {
      silent.streams.length = 0;
      const client = connect(t, port);
      client.send(headers(1, post, frameFlag.endHeaders));
      await client.settle();
      sessions.at(-1)?.drain();
      await client.frame(frameType.goAway);
      if (end === "answer") nth(silent.streams, 0).answer(small);
      if (end === "cancel") nth(silent.streams, 0).cancel();
      if (end === "reset") client.send(resetFrame(1, errorCode.cancel));
      if (end === "fault") client.send(windowUpdateFrame(1, 0));
      if (!client.isClosed) await once(client.socket, "close");
    }
  });

  it("is let go of though the client was not listened to any more", async (t) => {
    const silent = new Silent();
    const { port, sockets } = await serve(t, silent.handler, {
      stallTimeoutMs: 100,
      noise: { burst: 10 ** 7, perSecond: 1 },
    });
    const client = connect(t, port);
    client.send(headers(1, post, endBoth));
    await client.settle();
    client.socket.pause();
    const [socket] = sockets;
    assert.ok(socket !== undefined);
    client.send(goAwayFrame(0, errorCode.none));
    const pings = Buffer.concat(Array.from({ length: 10_000 }, ping));
    while (!socket.isPaused()) {
      client.socket.write(pings);
      await new Promise(setImmediate);
    }
    nth(silent.streams, 0).answer(small);
    if (!socket.destroyed) await once(socket, "close");
  });
});

describe("a client may not", () => {
  it("open its windows byte by byte for ever", async (t) => {
    const { port } = await serve(t, echo, { noise: { burst: 20, perSecond: 1 } });
    const client = connect(t, port);
    client.send(headers(1), data(1, "abc", endStream));
    client.send(...Array.from({ length: 30 }, () => windowUpdateFrame(0, 1)));
    assert.equal(await client.goAwayCode(), errorCode.enhanceYourCalm);
  });
});
