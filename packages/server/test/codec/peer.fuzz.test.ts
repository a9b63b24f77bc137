/** Everything that members say to each other, once it is cut into frames. */
import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { MembershipSchema } from "@dkv/protocol/dkv/peer/v1/peer";
import { damagedMessage, fuzz, readOrRefused } from "@dkv/fuzz";
import { nodeId, term } from "@dkv/raft";
import fc from "fast-check";
import { DecodeError } from "../../src/codec/decode-error.ts";
import {
  decodeHello,
  decodeHelloReply,
  encodeHello,
  encodeHelloReply,
  type Hello,
} from "../../src/codec/handshake-codec.ts";
import { decodeMembership, encodeMembership } from "../../src/codec/membership-codec.ts";
import { decodeFrame } from "../../src/codec/raft-decoder.ts";
import {
  decodeSnapshotAnswer,
  decodeSnapshotFrame,
  encodeSnapshotAnswer,
  encodeSnapshotFrame,
  type SnapshotAnswer,
  type SnapshotFrame,
} from "../../src/codec/snapshot-codec.ts";
import { frame, payload, route } from "./frames.ts";

/** What follows the length. Views into it are compared with one another: all of them are of one class. */
const rest = (encoded: Buffer): Uint8Array => Uint8Array.from(encoded.subarray(4));
const plain = (bytes: Buffer): Uint8Array => Uint8Array.from(bytes);

const text = fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), fc.constant("n".repeat(300)));
const anyBytes = fc.uint8Array({ maxLength: 60 });
const id = fc.oneof(fc.bigInt({ min: 0n, max: 4n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const count = fc.bigInt({ min: 0n, max: 2n ** 52n }).map(Number);

fuzz("peer frames", {
  input: damagedMessage(frame.map(payload)),
  runs: 500,
  check(bytes) {
    const decoded = readOrRefused(() => decodeFrame(plain(bytes), route), DecodeError);
    if (decoded !== undefined) assert.deepEqual(decodeFrame(plain(payload(decoded)), route), decoded);
  },
});

const hello: fc.Arbitrary<Hello> = fc.record({
  protocolVersion: fc.nat(),
  clusterId: id,
  from: id.map(nodeId),
  to: id.map(nodeId),
  clientAddress: text,
  version: text,
  purpose: fc.constantFrom("member", "snapshot", "introduction"),
  name: text,
  peerAddress: text,
  incarnation: id,
  history: id,
});

fuzz("greetings", {
  input: damagedMessage(hello.map((one) => rest(encodeHello(one)))),
  check(bytes) {
    const decoded = readOrRefused(() => decodeHello(bytes), DecodeError);
    if (decoded === undefined) return;
    const again = decodeHello(rest(encodeHello(decoded)));
    // There is no number for a purpose that is not known: it is said as none, which is that of old versions.
    assert.deepEqual(again, decoded.purpose === "unknown" ? { ...decoded, purpose: "member" } : decoded);
  },
});

const reply = fc.record({
  refusal: text,
  clientAddress: text,
  version: text,
  clusterId: id,
  from: id.map(nodeId),
  removed: fc.boolean(),
  later: fc.boolean(),
  dataLost: fc.boolean(),
  incarnation: id,
  history: id,
  introduction: fc.option(fc.record({ clusterId: id, memberId: id.map(nodeId), configuration: anyBytes }), {
    nil: undefined,
  }),
});

fuzz("replies to greetings", {
  input: damagedMessage(reply.map((one) => rest(encodeHelloReply(one)))),
  check(bytes) {
    const decoded = readOrRefused(() => decodeHelloReply(plain(bytes)), DecodeError);
    if (decoded !== undefined) assert.deepEqual(decodeHelloReply(rest(encodeHelloReply(decoded))), decoded);
  },
});

const snapshotFrame: fc.Arbitrary<SnapshotFrame> = fc.oneof(
  fc.record({ kind: fc.constant("offer"), term: count.map((one) => term(one)), header: anyBytes }),
  fc.record({ kind: fc.constant("chunk"), chunk: anyBytes }),
  fc.record({ kind: fc.constant("trailer"), trailer: anyBytes }),
);

fuzz("frames of snapshots", {
  input: damagedMessage(snapshotFrame.map((one) => rest(encodeSnapshotFrame(one)))),
  check(bytes) {
    const decoded = readOrRefused(() => decodeSnapshotFrame(bytes), DecodeError);
    if (decoded === undefined) return;
    const again = encodeSnapshotFrame(decoded);
    assert.deepEqual(encodeSnapshotFrame(decodeSnapshotFrame(rest(again))), again);
  },
});

const answer: fc.Arbitrary<SnapshotAnswer> = fc.oneof(
  fc.record({ kind: fc.constant("received"), chunks: count }),
  fc.record({ kind: fc.constant("refused"), reason: text }),
  fc.record({ kind: fc.constant("complete") }),
);

fuzz("answers to snapshots", {
  input: damagedMessage(answer.map((one) => rest(encodeSnapshotAnswer(one)))),
  check(bytes) {
    const decoded = readOrRefused(() => decodeSnapshotAnswer(bytes), DecodeError);
    if (decoded !== undefined)
      assert.deepEqual(decodeSnapshotAnswer(rest(encodeSnapshotAnswer(decoded))), decoded);
  },
});

/** As somebody may write it who checks nothing. */
const table = fc
  .array(
    fc.record({
      id,
      name: text,
      peerAddress: fc.oneof(fc.constantFrom("localhost:1", "[::1]:65535", ":1", "a:99999", ""), text),
      replaces: id,
      incarnation: id,
    }),
    { maxLength: 5 },
  )
  .map((members) => toBinary(MembershipSchema, create(MembershipSchema, { members })));

fuzz("membership tables", {
  input: damagedMessage(table),
  check(bytes) {
    const decoded = readOrRefused(() => decodeMembership(bytes), DecodeError);
    if (decoded !== undefined) assert.deepEqual(decodeMembership(encodeMembership(decoded)), decoded);
  },
});
