import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { HelloSchema, type Purpose } from "@dkv/protocol/dkv/peer/v1/peer";
import { nodeId } from "@dkv/raft";
import { DecodeError } from "../../src/codec/decode-error.ts";
import {
  decodeHello,
  decodeHelloReply,
  encodeHello,
  encodeHelloReply,
  type Hello,
  type HelloReply,
} from "../../src/codec/handshake-codec.ts";

const hello: Hello = {
  protocolVersion: 1,
  clusterId: 2n ** 63n,
  from: nodeId(1n),
  to: nodeId(2n),
  clientAddress: "host:3000",
  version: "1.2.3",
  purpose: "snapshot",
  name: "dkv-9",
  peerAddress: "host:2380",
  incarnation: 2n ** 64n - 1n,
  history: 5n,
  clientUrls: ["http://host:3000", "https://host:3001"],
};

const reply: HelloReply = {
  refusal: "no",
  clientAddress: "host:3001",
  version: "1.2.4",
  clusterId: 7n,
  from: nodeId(2n),
  removed: true,
  later: true,
  dataLost: true,
  incarnation: 3n,
  history: 6n,
  clientUrls: ["http://host:3001"],
  introduction: { clusterId: 7n, memberId: nodeId(9n), configuration: Uint8Array.of(1, 2) },
};

/** What follows the length header. */
function payload(encoded: Buffer): Uint8Array {
  assert.equal(encoded.readUInt32BE(), encoded.length - 4);
  return new Uint8Array(encoded.subarray(4));
}

describe("a greeting", () => {
  it("is the same after encoding and decoding", () => {
    for (const purpose of ["member", "snapshot", "introduction"] as const)
      assert.deepEqual(decodeHello(payload(encodeHello({ ...hello, purpose }))), { ...hello, purpose });
    for (const introduction of [reply.introduction, undefined])
      assert.deepEqual(decodeHelloReply(payload(encodeHelloReply({ ...reply, introduction }))), {
        ...reply,
        introduction,
      });
  });

  it("of a version that had one purpose only means that one, and a later version's is not guessed", () => {
    const foreign = (purpose: number) =>
      decodeHello(toBinary(HelloSchema, create(HelloSchema, { purpose: purpose as Purpose })));
    assert.equal(foreign(0).purpose, "member");
    assert.equal(foreign(4).purpose, "unknown");
  });

  it("with a name that no member can have is refused", () => {
    const long = encodeHello({ ...hello, name: "n".repeat(256) });
    assert.throws(() => decodeHello(payload(long)), DecodeError);
  });

  it("with more URLs than a member has is refused", () => {
    for (const clientUrls of [Array.from({ length: 17 }, () => "a"), ["h".repeat(2049)]]) {
      assert.throws(() => decodeHello(payload(encodeHello({ ...hello, clientUrls }))), DecodeError);
      assert.throws(() => decodeHelloReply(payload(encodeHelloReply({ ...reply, clientUrls }))), DecodeError);
    }
  });
});
