/** What no client library sends. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { describe, it, type TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, toBinary } from "@bufbuild/protobuf";
import { SetRequestSchema } from "@dkv/protocol/dkv/v1/dkv";
import {
  encodeHeaderBlock,
  FrameReader,
  frame as http2Frame,
  frameFlag,
  frameType,
  type Header,
  preface,
  settingsFrame,
} from "@dkv/http2";
import { openClientPort } from "./client-port.ts";
import { frame } from "./raw-http2.ts";

const setPath = "/dkv.v1.DkvAPI/Set";
const grpc: readonly Header[] = [
  [":authority", "test"],
  ["content-type", "application/grpc"],
];

class RawCaller {
  readonly #socket: net.Socket;
  /** Types of the frames that came. */
  readonly #seen: number[] = [];
  #body = "";
  #wake: () => void = () => undefined;

  constructor(t: TestContext, port: number) {
    this.#socket = net.connect(port, "127.0.0.1");
    t.after(() => this.#socket.destroy());
    const reader = new FrameReader(({ type, streamId, source, start, end }) => {
      if (streamId === 0) return;
      this.#seen.push(type);
      if (type === frameType.data) this.#body += source.toString("latin1", start, end);
    });
    this.#socket.on("data", (chunk: Buffer) => {
      reader.accept(chunk);
      this.#wake();
    });
    this.#socket.write(Buffer.concat([preface, settingsFrame([])]));
  }

  async send(...frames: readonly Uint8Array[]): Promise<void> {
    if (!this.#socket.write(Buffer.concat(frames))) await once(this.#socket, "drain");
  }

  /** Resolves with what came of the answer's body once a frame of this type has come for a stream. */
  async until(type: number): Promise<string> {
    while (!this.#seen.includes(type)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#body;
  }
}

function headers(fields: readonly Header[]): Buffer {
  const kind = { type: frameType.headers, flags: frameFlag.endHeaders, streamId: 1 };
  const always: readonly Header[] = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", setPath],
  ];
  return http2Frame(kind, encodeHeaderBlock([...always, ...fields]));
}

function data(bytes: Uint8Array, flags = 0): Buffer {
  return http2Frame({ type: frameType.data, flags, streamId: 1 }, bytes);
}

/** All that is alive, in this heap and beside it. */
function livingBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("a message in frames of one byte", () => {
  for (const bypass of ["allowed", "forbidden"] as const) {
    it(`is answered, and needs hardly more memory than its size, with the fast path ${bypass}`, async (t) => {
      const { port, member } = await openClientPort(t, { bypass });
      const caller = new RawCaller(t, port);
      const value = Buffer.alloc(1_400_000, 7);
      const message = frame(toBinary(SetRequestSchema, create(SetRequestSchema, { key: "k", value })));
      const sendBytes = async (start: number, end: number): Promise<void> => {
        for (let at = start; at < end; at += 10_000) {
          const bytes = [...message.subarray(at, Math.min(end, at + 10_000))];
          await caller.send(...bytes.map((byte) => data(Buffer.of(byte))));
        }
      };
      await caller.send(headers(grpc));
      const before = livingBytes();
      await sendBytes(0, 1_000_000);
      await caller.until(frameType.windowUpdate);
      await sendBytes(1_000_000, message.length);
      const held = livingBytes() - before;
      await caller.send(data(Buffer.alloc(0), frameFlag.endStream));
      await caller.until(frameType.data);
      assert.equal(member.proposals, 1);
      assert.ok(held < 8_000_000, `${String(held)} bytes`);
    });
  }
});

describe("a request with an empty :authority", () => {
  it("is for the host that it names besides", async (t) => {
    const { port } = await openClientPort(t);
    const caller = new RawCaller(t, port);
    await caller.send(
      headers([
        [":authority", ""],
        ["host", "test"],
        ["content-type", "application/json"],
      ]),
      data(Buffer.from('{"key":"k"}'), frameFlag.endStream),
    );
    assert.match(await caller.until(frameType.data), /"revision"/);
  });
});
