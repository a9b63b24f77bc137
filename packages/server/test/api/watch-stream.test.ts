/** What no client library does with a Watch, on both of the ways that gRPC may take. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { WatchRequestSchema } from "@dkv/protocol/dkv/v1/dkv";
import { plainSet as setOf } from "@dkv/store";
import { type ClientPort, openClientPort, type PortOptions } from "./client-port.ts";
import { connectHttp2, frame, type RawAnswer, rawCall, statusOf } from "./raw-http2.ts";

const watch = { ":path": "/dkv.v1.DkvAPI/Watch" };
const request = frame(
  toBinary(WatchRequestSchema, create(WatchRequestSchema, { keys: { keys: { case: "prefix", value: "" } } })),
);

const plainSet = (key: string, value: Uint8Array) => setOf(Buffer.from(key), value);

interface Opened extends ClientPort {
  call(pieces: readonly Buffer[]): Promise<RawAnswer>;
  /** Begins a watch whose answers are read when somebody listens. */
  begin(): ClientHttp2Stream;
}

async function open(t: TestContext, options: PortOptions): Promise<Opened> {
  const port = await openClientPort(t, options);
  const session = await connectHttp2(port.url);
  t.after(() => {
    session.destroy();
  });
  return {
    ...port,
    call: (pieces) => rawCall(session, watch, pieces),
    begin: () => {
      const headers = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
      const stream = session.request({ ...headers, ...watch });
      stream.on("error", () => undefined);
      stream.end(request);
      return stream;
    },
  };
}

for (const bypass of ["allowed", "forbidden"] as const) {
  describe(`a Watch of gRPC with the fast path ${bypass}`, () => {
    for (const { what, pieces, status, words } of [
      {
        what: "no message",
        pieces: [],
        status: Code.Unimplemented,
        words: "missing input message for server",
      },
      {
        what: "two messages",
        pieces: [request, request],
        status: Code.Unimplemented,
        words: "received extra input message for server-streaming method",
      },
      {
        what: "half a message",
        pieces: [request.subarray(0, 6)],
        status: Code.InvalidArgument,
        words: "incomplete envelope",
      },
      {
        what: "half a message behind one",
        pieces: [request, request.subarray(0, 6)],
        status: Code.InvalidArgument,
        words: "incomplete envelope",
      },
      {
        what: "bytes that are no message",
        pieces: [frame(Buffer.alloc(20, 0xff))],
        status: Code.Internal,
        words: "parse binary",
      },
      {
        what: "no keys",
        pieces: [frame(Buffer.alloc(0))],
        status: Code.InvalidArgument,
        words: "keys is not set",
      },
      {
        what: "a length over the limit",
        pieces: [Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1])],
        status: Code.InvalidArgument,
        words: "too large",
      },
    ]) {
      it(`is refused with ${what}`, async (t) => {
        const { call, bypassed, member } = await open(t, { bypass });
        const answer = await call(pieces);
        const { "grpc-message": message } = { ...answer.headers, ...answer.trailers };
        assert.equal(statusOf(answer), status);
        assert.ok(decodeURIComponent(String(message)).includes(words), String(message));
        assert.equal(bypassed(), bypass === "allowed" ? 1 : 0);
        assert.equal(member.watches.openStreams, 0);
      });
    }

    it("is not waited for without end", async (t) => {
      const { url } = await open(t, { bypass, bodyTimeoutMs: 100 });
      const session = await connectHttp2(url);
      t.after(() => {
        session.destroy();
      });
      const headers = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
      const stream = session.request({ ...headers, ...watch });
      stream.on("error", () => undefined);
      await Promise.race([once(stream, "response"), once(stream, "close")]);
    });

    it("asks for nothing while its client takes nothing, and misses nothing", async (t) => {
      const { begin, member } = await open(t, { bypass });
      const stream = begin();
      await once(stream, "response");
      const value = Buffer.alloc(20_000, 7);
      const sets = 100;
      for (let at = 0; at < sets; at += 1) {
        await member.apply({ case: "set", value: plainSet(`k${String(at)}`, value) });
        await new Promise(setImmediate);
      }
      assert.ok(member.watches.calls < 20, `${String(member.watches.calls)} messages were asked for`);
      let bytes = 0;
      stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      while (bytes < sets * value.length) await new Promise(setImmediate);
      stream.close();
      while (member.watches.openStreams > 0) await new Promise(setImmediate);
    });
  });
}

describe("a Watch on the fast path", () => {
  it("is left to Connect with a deadline", async (t) => {
    const { url, bypassed } = await openClientPort(t);
    const session = await connectHttp2(url);
    t.after(() => {
      session.destroy();
    });
    const answer = await rawCall(session, { ...watch, "grpc-timeout": "50m" }, [request]);
    assert.equal(statusOf(answer), Code.DeadlineExceeded);
    assert.equal(bypassed(), 0);
  });

  it("has all watches of a connection told in one go, one frame each", async (t) => {
    const { begin, member, bypassed } = await open(t, {});
    const chunks: string[] = [];
    const streams = Array.from({ length: 50 }, begin);
    for (const [at, stream] of streams.entries())
      stream.on("data", (chunk: Buffer) => chunks.push(`${String(at)}: ${chunk.toString("hex")}`));
    while (chunks.length < 50) await new Promise(setImmediate);
    await member.apply({ case: "set", value: plainSet("k", Buffer.from("v")) });
    while (chunks.length < 100) await new Promise(setImmediate);
    const told = chunks.slice(50);
    assert.equal(new Set(told.map((chunk) => chunk.split(": ")[0])).size, 50);
    assert.equal(new Set(told.map((chunk) => chunk.split(": ")[1])).size, 1);
    assert.equal(bypassed(), 50);
  });
});
