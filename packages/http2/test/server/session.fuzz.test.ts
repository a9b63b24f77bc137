/** Whatever a client says, the process goes on and the connection ends or is used. */
import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { damaged, fuzz, inPieces } from "@dkv/fuzz";
import fc from "fast-check";
import {
  Backlog,
  ConnectionError,
  defaultSessionLimits,
  encodeHeaderBlock,
  errorCode,
  frame,
  FrameReader,
  frameFlag,
  frameType,
  type Header,
  HeaderEncoder,
  preface,
  Session,
  settingsFrame,
  windowUpdateFrame,
} from "../../src/index.ts";
import { data, echo, endBoth, endStream, headers, post } from "./raw-client.ts";

const clock = { nowMs: () => 0, after: () => () => undefined };

const boundary = fc.constantFrom(
  0,
  1,
  16_383,
  16_384,
  65_535,
  2 ** 24 - 1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
);
const streamId = fc.oneof(fc.constantFrom(0, 1, 3, 5, 7), fc.constantFrom(2, 2 ** 31 - 1));
const anyFrame = fc
  .record({
    type: fc.nat(10),
    flags: fc.constantFrom(0, 1, 4, 5, 8, 0x0d, 0x20, 0x2d),
    streamId,
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(headers(1).subarray(9), Buffer.alloc(4, 1), Buffer.alloc(8), Buffer.alloc(5)),
    ),
  })
  .map(({ payload, ...kind }) => frame(kind, payload));

const field: fc.Arbitrary<Header> = fc.constantFrom<Header[]>(
  ["te", "trailers"],
  ["cookie", "a=b"],
  ["content-length", "3"],
  ["content-length", "-1"],
  ["connection", "close"],
  [":path", "/again"],
  ["x-long", "y".repeat(9000)],
  ["X-Upper", "a"],
  ["x-split", "a\r\nb: c"],
);
const fields = fc.array(field, { maxLength: 3 }).map((more): readonly Header[] => [...post, ...more]);
const endings = fc.constantFrom(0, frameFlag.endHeaders, endStream, endBoth);
const request = fc.tuple(streamId, fields, endings).map(([id, list, flags]) => headers(id, list, flags));
/** The rest of a block that was not ended. */
const continuation = fc
  .tuple(streamId, fields, endings)
  .map(([id, list, flags]) =>
    frame({ type: frameType.continuation, flags, streamId: id }, encodeHeaderBlock(list)),
  );
const indexed = fc.array(fields, { minLength: 1, maxLength: 3 }).map((lists) => {
  const encoder = new HeaderEncoder();
  return Buffer.concat(
    lists.map((list, at) =>
      frame({ type: frameType.headers, flags: endBoth, streamId: 2 * at + 1 }, encoder.encode(list)),
    ),
  );
});
const body = fc
  .tuple(streamId, fc.constantFrom(0, 1, 3, 16_384), fc.constantFrom(0, endStream))
  .map(([id, length, flags]) => data(id, Buffer.alloc(length, "b"), flags));
const windows = fc.tuple(streamId, boundary).map(([id, bytes]) => windowUpdateFrame(id, bytes));
const settings = fc.array(fc.tuple(fc.nat(7), boundary), { maxLength: 4 }).map(settingsFrame);

const part = fc.oneof(request, continuation, indexed, body, windows, settings, anyFrame);
const conversation = fc.array(part, { maxLength: 30 }).map((parts) => Buffer.concat(parts));
const pieces = inPieces(
  fc
    .oneof(conversation, damaged(conversation))
    .map((said) => Buffer.concat([preface, settingsFrame([]), said])),
);

fuzz("HTTP/2 sessions", {
  input: fc.oneof({ weight: 9, arbitrary: pieces }, inPieces(damaged(fc.constant(preface)))),
  async check(said) {
    const [client, server] = duplexPair();
    // What is said must make sense, whatever was heard.
    const reader = new FrameReader(() => undefined);
    const heard = (chunk: Buffer): void => {
      reader.accept(chunk);
    };
    client.on("data", heard).on("error", () => undefined);
    const broken: Error[] = [];
    const backlog = new Backlog(2 ** 20);
    let waiting = 0;
    const change = backlog.change.bind(backlog);
    backlog.change = (bytes) => {
      waiting += bytes;
      change(bytes);
    };
    const onBroken = (error: Error): void => void broken.push(error);
    new Session(server, { clock, handler: echo, limits: defaultSessionLimits, backlog, onBroken });
    // Emitted and not written, so that an error that nobody expects is thrown into this test.
    for (const piece of said) server.emit("data", piece);
    await new Promise(setImmediate);
    for (const error of broken) {
      assert.ok(error instanceof ConnectionError);
      assert.notEqual(error.code, errorCode.internal, String(error.cause));
    }
    assert.ok(broken.length <= 1, "a connection breaks once");
    client.destroy();
    server.destroy();
    await new Promise(setImmediate);
    assert.equal(waiting, 0, "nothing waits for a client that has gone");
  },
});
