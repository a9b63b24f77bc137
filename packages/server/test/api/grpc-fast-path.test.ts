import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Session, OutgoingHttpHeaders } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import {
  GetRequestSchema,
  GetResponseSchema,
  SetRequestSchema,
  SetResponseSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import { gzipSync } from "node:zlib";
import { type ClientPort, openClientPort, type PortOptions } from "./client-port.ts";
import { connectHttp2, frame, rawCall, statusOf, unframe } from "./raw-http2.ts";

const setPath = "/dkv.v1.DkvAPI/Set";
const getPath = "/dkv.v1.DkvAPI/Get";
const set = toBinary(SetRequestSchema, create(SetRequestSchema, { key: "k", value: Buffer.alloc(300, 7) }));

async function open(
  t: TestContext,
  options: PortOptions = {},
): Promise<ClientPort & { session: ClientHttp2Session }> {
  const port = await openClientPort(t, options);
  const session = await connectHttp2(port.url);
  t.after(() => {
    session.destroy();
  });
  return { ...port, session };
}

describe("the fast path of gRPC", () => {
  it("answers with headers, one frame and trailers", async (t) => {
    const { session, bypassed } = await open(t);
    const answer = await rawCall(session, { ":path": setPath }, [frame(set)]);
    assert.equal(answer.headers[":status"], 200);
    assert.equal(answer.headers["content-type"], "application/grpc+proto");
    assert.equal(answer.trailers["grpc-status"], "0");
    assert.equal(unframe(SetResponseSchema, answer.body).header?.revision, 2n);
    assert.equal(bypassed(), 1);
  });

  it("takes a message in any pieces", async (t) => {
    const { session, bypassed } = await open(t);
    const value = Buffer.alloc(200_000, 5);
    const message = frame(toBinary(SetRequestSchema, create(SetRequestSchema, { key: "k", value })));
    const cuts = [0, 1, 4, 5, 6, 1000, 70_000, message.length];
    const pieces = cuts.slice(1).map((end, i) => message.subarray(cuts[i], end));
    assert.equal(statusOf(await rawCall(session, { ":path": setPath }, pieces)), 0);
    const get = frame(toBinary(GetRequestSchema, create(GetRequestSchema, { key: "k" })));
    const { body } = await rawCall(session, { ":path": getPath }, [get]);
    assert.ok(value.equals(unframe(GetResponseSchema, body).value));
    assert.equal(bypassed(), 2);
  });

  const unusual: readonly { what: string; headers: OutgoingHttpHeaders; body?: Buffer; status: number }[] = [
    {
      what: "JSON in gRPC",
      headers: { "content-type": "application/grpc+json" },
      body: frame(Buffer.from('{"key":"k"}')),
      status: 0,
    },
    { what: "compression", headers: { "grpc-encoding": "gzip" }, body: frame(gzipSync(set), 1), status: 0 },
    { what: "an unknown compression", headers: { "grpc-encoding": "zstd" }, status: Code.Unimplemented },
    {
      what: "a deadline that cannot be read",
      headers: { "grpc-timeout": "soon" },
      status: Code.InvalidArgument,
    },
  ];
  for (const { what, headers, body, status } of unusual) {
    it(`leaves ${what} to Connect`, async (t) => {
      const { session, bypassed } = await open(t);
      const answer = await rawCall(session, { ":path": setPath, ...headers }, [body ?? frame(set)]);
      assert.equal(statusOf(answer), status);
      assert.equal(bypassed(), 0);
    });
  }

  const faults: readonly { what: string; pieces: readonly Buffer[]; status: Code }[] = [
    { what: "no message", pieces: [], status: Code.Unimplemented },
    { what: "half a prefix", pieces: [Buffer.from([0, 0])], status: Code.InvalidArgument },
    { what: "half a message", pieces: [frame(set).subarray(0, 100)], status: Code.InvalidArgument },
    { what: "two messages", pieces: [frame(set), frame(set)], status: Code.Unimplemented },
    { what: "a compressed message without a word of how", pieces: [frame(set, 1)], status: Code.Internal },
    { what: "bytes that are no message", pieces: [frame(Buffer.alloc(20, 0xff))], status: Code.Internal },
    {
      what: "a key that is not UTF-8",
      pieces: [frame(Buffer.from([0x0a, 2, 0xc3, 0x28]))],
      status: Code.Internal,
    },
    { what: "an empty key", pieces: [frame(Buffer.alloc(0))], status: Code.InvalidArgument },
    {
      what: "a length over the limit",
      pieces: [Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3])],
      status: Code.InvalidArgument,
    },
  ];
  for (const { what, pieces, status } of faults) {
    it(`says the same as Connect of ${what}`, async (t) => {
      const fast = await open(t);
      const slow = await open(t, { bypass: "forbidden" });
      const [quick, thorough] = await Promise.all(
        [fast, slow].map(({ session }) => rawCall(session, { ":path": setPath }, pieces)),
      );
      assert.ok(quick && thorough);
      assert.equal(statusOf(quick), status);
      // Connect has headers and then trailers where one block is enough.
      const said = { ...thorough.headers, ...thorough.trailers };
      for (const field of [
        ":status",
        "content-type",
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
      ]) {
        assert.equal(quick.headers[field], said[field], field);
      }
      assert.equal(fast.bypassed(), 1);
      assert.equal(slow.bypassed(), 0);
      assert.equal(fast.member.proposals, 0);
    });
  }

  it("ends a message that does not come", async (t) => {
    const { session } = await open(t, { bodyTimeoutMs: 100 });
    const stream = session.request({
      ":method": "POST",
      ":path": setPath,
      "content-type": "application/grpc",
    });
    stream.write(frame(set).subarray(0, 10));
    const [headers] = await once(stream, "response");
    assert.equal(headers["grpc-status"], String(Code.DeadlineExceeded));
    assert.match(decodeURIComponent(headers["grpc-message"]), /did not arrive within 100 ms/);
  });

  it("is not the only one to end it: Connect does too", async (t) => {
    const { session, member } = await open(t, { bodyTimeoutMs: 100, bypass: "forbidden" });
    const stream = session.request({
      ":method": "POST",
      ":path": setPath,
      "content-type": "application/grpc",
    });
    stream.write(frame(set).subarray(0, 10));
    await once(stream, "close");
    assert.equal(stream.rstCode, 8);
    assert.equal(member.proposals, 0);
  });

  it("keeps a connection on which thousands of calls are cancelled", async (t) => {
    const { session, member } = await open(t);
    member.hasQuorum = false;
    for (let round = 0; round < 30; round += 1) {
      const closed = Array.from({ length: 100 }, () => {
        const stream = session.request({
          ":method": "POST",
          ":path": setPath,
          "content-type": "application/grpc",
          "grpc-timeout": "50m",
        });
        stream.on("error", () => undefined);
        stream.end(frame(set));
        setImmediate(() => {
          stream.close(8);
        });
        return once(stream, "close");
      });
      await Promise.all(closed);
    }
    member.hasQuorum = true;
    assert.equal(statusOf(await rawCall(session, { ":path": setPath }, [frame(set)])), 0);
  });

  it("outlives a client that vanishes with calls in flight", async (t) => {
    const { session, member, url } = await open(t);
    member.hasQuorum = false;
    for (let i = 0; i < 50; i += 1) {
      const stream = session.request({
        ":method": "POST",
        ":path": setPath,
        "content-type": "application/grpc",
        "grpc-timeout": "100m",
      });
      stream.on("error", () => undefined);
      if (i % 2 === 0) stream.end(frame(set));
      else stream.write(frame(set).subarray(0, 10));
    }
    while (member.proposals < 25) await new Promise(setImmediate);
    session.destroy();
    await new Promise((resolve) => setTimeout(resolve, 150));
    member.hasQuorum = true;
    const again = await connectHttp2(url);
    assert.equal(statusOf(await rawCall(again, { ":path": setPath }, [frame(set)])), 0);
    again.destroy();
  });
});
