/** What a client must not do, and what it is told. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  errorCode,
  frame,
  frameFlag,
  frameType,
  type Header,
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
  endStream,
  headers,
  post,
  RawClient,
  serve,
  Silent,
} from "./raw-client.ts";

const control = (type: number, payload: Uint8Array, streamId = 0, flags = 0): Buffer =>
  frame({ type, flags, streamId }, payload);
const eight = Buffer.alloc(8);

describe("a connection is ended for", () => {
  const faults: readonly { what: string; send: readonly Buffer[]; code: number }[] = [
    { what: "DATA on stream 0", send: [data(0, "x")], code: errorCode.protocol },
    { what: "DATA on a stream that was never opened", send: [data(5, "x")], code: errorCode.protocol },
    { what: "a reset of such a stream", send: [resetFrame(5, 8)], code: errorCode.protocol },
    { what: "a window for such a stream", send: [windowUpdateFrame(5, 1)], code: errorCode.protocol },
    { what: "a stream with an even number", send: [headers(2)], code: errorCode.protocol },
    {
      what: "a stream number that was used",
      send: [headers(3, post, endBoth), headers(3, post, endBoth)],
      code: errorCode.streamClosed,
    },
    {
      what: "a header block that means nothing",
      send: [control(frameType.headers, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 1, 4)],
      code: errorCode.compression,
    },
    {
      what: "a frame inside a header block",
      send: [headers(1, post, 0), control(frameType.ping, eight)],
      code: errorCode.protocol,
    },
    {
      what: "a continuation of nothing",
      send: [control(frameType.continuation, eight, 1)],
      code: errorCode.protocol,
    },
    {
      what: "a continuation of another stream",
      send: [headers(1, post, 0), control(frameType.continuation, eight, 3, 4)],
      code: errorCode.protocol,
    },
    { what: "a push", send: [control(frameType.pushPromise, eight, 1)], code: errorCode.protocol },
    { what: "a PING that is too short", send: [control(frameType.ping, eight.subarray(1))], code: 6 },
    { what: "a PING of a stream", send: [control(frameType.ping, eight, 1)], code: errorCode.protocol },
    { what: "SETTINGS of half a length", send: [control(frameType.settings, eight)], code: 6 },
    { what: "SETTINGS of a stream", send: [control(frameType.settings, Buffer.alloc(0), 1)], code: 1 },
    {
      what: "an acknowledgement that says something",
      send: [control(frameType.settings, Buffer.alloc(6), 0, 1)],
      code: 6,
    },
    { what: "a push setting of 2", send: [settingsFrame([[setting.enablePush, 2]])], code: 1 },
    {
      what: "a window setting over 2^31-1",
      send: [settingsFrame([[setting.initialWindowSize, 2 ** 31]])],
      code: errorCode.flowControl,
    },
    { what: "a frame size below the least", send: [settingsFrame([[5, 16_383]])], code: errorCode.protocol },
    { what: "a window update of 0", send: [windowUpdateFrame(0, 0)], code: errorCode.protocol },
    {
      what: "a window over 2^31-1",
      send: [windowUpdateFrame(0, 2 ** 31 - 1)],
      code: errorCode.flowControl,
    },
    { what: "a frame over the limit", send: [Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1])], code: 6 },
    { what: "padding longer than its frame", send: [data(1, Buffer.from([9, 0]), 8)], code: 1 },
    { what: "PRIORITY of no stream", send: [control(frameType.priority, Buffer.alloc(5))], code: 1 },
  ];
  for (const { what, send, code } of faults) {
    it(what, async (t) => {
      const { port, broken } = await serve(t, echo);
      const client = connect(t, port);
      client.send(...send);
      assert.equal(await client.goAwayCode(), code);
      assert.equal(broken.length, 1);
    });
  }

  it("a preface that is none", async (t) => {
    const { port } = await serve(t, echo);
    const client = new RawClient(port);
    client.send(Buffer.from("PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n"));
    assert.equal(await client.goAwayCode(), errorCode.protocol);
  });

  it("a first frame that is not SETTINGS", async (t) => {
    const { port } = await serve(t, echo);
    const client = new RawClient(port);
    client.send(preface, control(frameType.ping, eight));
    assert.equal(await client.goAwayCode(), errorCode.protocol);
  });
});

describe("a stream is ended for", () => {
  const without = (name: string): readonly Header[] => post.filter((each) => each[0] !== name);
  const malformed: readonly { what: string; fields: readonly Header[] }[] = [
    { what: "no method", fields: without(":method") },
    { what: "no path", fields: without(":path") },
    { what: "no scheme", fields: without(":scheme") },
    { what: "an empty path", fields: [...without(":path"), [":path", ""]] },
    { what: "a pseudo-header twice", fields: [...post, [":path", "/b"]] },
    { what: "a pseudo-header that nobody knows", fields: [...post, [":protocol", "x"]] },
    { what: "a status in a request", fields: [...post, [":status", "200"]] },
    { what: "a pseudo-header behind others", fields: [["a", "b"], ...post] },
    { what: "a capital letter in a name", fields: [...post, ["Accept", "x"]] },
    { what: "an empty name", fields: [...post, ["", "x"]] },
    { what: "a line end in a value", fields: [...post, ["a", "b\r\nc: d"]] },
    { what: "a zero in a value", fields: [...post, ["a", "\0"]] },
    { what: "a space before a value", fields: [...post, ["a", " b"]] },
    ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map((name) => ({
      what: `the field ${name}`,
      fields: [...post, [name, "x"]] as readonly Header[],
    })),
    { what: "a te of something else", fields: [...post, ["te", "gzip"]] },
    { what: "a content-length that is no number", fields: [...post, ["content-length", "-1"]] },
    {
      what: "two content-lengths",
      fields: [...post, ["content-length", "1"], ["content-length", "2"]],
    },
    { what: "a content-length without the body", fields: [...post, ["content-length", "1"]] },
    { what: "CONNECT with a path", fields: [[":method", "CONNECT"], ...without(":method")] },
  ];
  for (const { what, fields } of malformed) {
    it(what, async (t) => {
      const silent = new Silent();
      const { port } = await serve(t, silent.handler);
      const client = connect(t, port);
      client.send(headers(1, fields, endBoth));
      assert.equal(await client.resetCode(1), errorCode.protocol);
      assert.deepEqual(
        silent.events.filter((event) => event !== "abort"),
        [],
      );
      client.send(headers(3, post, endBoth));
      await client.settle();
      assert.ok(silent.events.includes("end 0"), "the connection goes on");
    });
  }

  const later: readonly { what: string; send: readonly Buffer[]; code: number }[] = [
    { what: "DATA after its end", send: [headers(1, post, endBoth), data(1, "x")], code: 5 },
    {
      what: "header fields after its end",
      send: [headers(1, post, endBoth), headers(1, [["a", "b"]], endBoth)],
      code: errorCode.streamClosed,
    },
    {
      what: "trailers that do not end it",
      send: [headers(1), headers(1, [["a", "b"]])],
      code: errorCode.protocol,
    },
    {
      what: "trailers with a pseudo-header",
      send: [headers(1), headers(1, [[":path", "/"]], endBoth)],
      code: errorCode.protocol,
    },
    {
      what: "a body longer than its content-length",
      send: [headers(1, [...post, ["content-length", "1"]]), data(1, "xy")],
      code: errorCode.protocol,
    },
    {
      what: "a body shorter than its content-length",
      send: [headers(1, [...post, ["content-length", "3"]]), data(1, "xy", endStream)],
      code: errorCode.protocol,
    },
    { what: "a window update of 0", send: [headers(1), windowUpdateFrame(1, 0)], code: 1 },
    {
      what: "a window over 2^31-1",
      send: [headers(1), windowUpdateFrame(1, 2 ** 31 - 1)],
      code: errorCode.flowControl,
    },
    {
      what: "PRIORITY of another length",
      send: [headers(1), control(frameType.priority, eight, 1)],
      code: 6,
    },
  ];
  for (const { what, send, code } of later) {
    it(what, async (t) => {
      const silent = new Silent();
      const { port } = await serve(t, silent.handler);
      const client = connect(t, port);
      client.send(...send);
      assert.equal(await client.resetCode(1), code);
      await client.settle();
      assert.equal(silent.events.at(-1), "abort");
    });
  }
});

describe("nobody is blamed for", () => {
  it("PRIORITY, unknown frames, padding, trailers and headers in pieces", async (t) => {
    const { port, broken } = await serve(t, echo);
    const client = connect(t, port);
    const block = headers(1, post, 0).subarray(9);
    client.send(
      control(frameType.priority, Buffer.alloc(5), 7),
      control(0xfa, eight, 3),
      control(frameType.headers, block.subarray(0, 3), 1, 0),
      control(frameType.continuation, block.subarray(3, 5), 1, 0),
      control(frameType.continuation, block.subarray(5), 1, frameFlag.endHeaders),
      data(1, Buffer.from([3, 0x68, 0x69, 0, 0, 0]), frameFlag.padded),
      headers(1, [["checksum", "1"]], endBoth),
    );
    assert.equal((await client.frame(frameType.data, 1)).payload.toString(), "hi");
    assert.deepEqual(broken, []);
  });

  it("what was under way when its stream was ended", async (t) => {
    const silent = new Silent();
    const { port, broken } = await serve(t, silent.handler);
    const client = connect(t, port);
    client.send(headers(1));
    await client.settle();
    silent.streams[0]?.cancel();
    await client.resetCode(1);
    client.send(data(1, "x"), headers(1, [["a", "b"]], endBoth), windowUpdateFrame(1, 5), resetFrame(1, 8));
    await client.settle();
    assert.deepEqual(broken, []);
    assert.equal(client.seen.filter(({ type }) => type === frameType.resetStream).length, 1);
  });
});
