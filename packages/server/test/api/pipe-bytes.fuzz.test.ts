/** The bytes of Pipe that are written and read by hand, beside what protobuf-es makes of them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { damagedMessage, fuzz } from "@dkv/fuzz";
import { PipeRequestSchema, PipeResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import { logIndex, nodeId, term } from "@dkv/raft";
import fc from "fast-check";
import { deleteResponse, getResponse, setResponse } from "../../src/api/dkv-v1/answers.ts";
import { AnswerFrames, type Settled } from "../../src/api/dkv-v1/pipe/answer-frames.ts";
import type { PipeAnswer } from "../../src/api/dkv-v1/pipe/operations.ts";
import { readPlainPiped } from "../../src/api/dkv-v1/plain-request.ts";
import { requestReading } from "../../src/api/unary-method.ts";
import { frame } from "./raw-http2.ts";

const key = fc.string({ unit: "grapheme", maxLength: 60 });
const value = fc.uint8Array({ maxLength: 300 });
const request = fc
  .record({
    id: fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n - 1n)),
    operation: fc.oneof(
      fc.record({ key, value }).map((set) => ({ case: "set", value: set }) as const),
      fc
        .record({ key, value, ttlSeconds: fc.bigInt(0n, 2n) })
        .map((set) => ({ case: "set", value: set }) as const),
      fc.record({ key, serializable: fc.boolean() }).map((get) => ({ case: "get", value: get }) as const),
      fc.record({ key, revision: fc.bigInt(0n, 2n) }).map((get) => ({ case: "get", value: get }) as const),
      fc.record({ key }).map((gone) => ({ case: "delete", value: gone }) as const),
      fc
        .record({ key, returnPrevious: fc.boolean() })
        .map((gone) => ({ case: "delete", value: gone }) as const),
      fc.constant({ case: "txn", value: {} } as const),
      fc.constant({ case: undefined }),
    ),
  })
  .map((one) => create(PipeRequestSchema, one));

describe("a plain request", () => {
  it("is read where nearly all requests are one", () => {
    const plain = create(PipeRequestSchema, {
      id: 300n,
      operation: { case: "set", value: { key: "schlüssel", value: Buffer.alloc(200, 1) } },
    });
    const read = readPlainPiped(Buffer.from(toBinary(PipeRequestSchema, plain)));
    assert.ok(read?.request.kind === "set");
    const { key, value } = read.request;
    assert.deepEqual([read.id, key.toString(), value.length], [300, "schlüssel", 200]);
  });

  it("has one key: the first of two, which does not count, might be no UTF-8", () => {
    const twoKeys = Buffer.from([0x12, 10, 0x0a, 5, 0x1a, 3, 0x12, 1, 0x80, 0x0a, 1, 0x20]);
    assert.throws(() => fromBinary(PipeRequestSchema, twoKeys, requestReading));
    assert.equal(readPlainPiped(twoKeys), undefined);
  });
});

/** Whatever is read by hand, protobuf-es reads the same. */
fuzz("requests of a pipe", {
  input: damagedMessage(request.map((one) => toBinary(PipeRequestSchema, one))),
  check(bytes) {
    const piped = readPlainPiped(Buffer.from(bytes));
    if (piped === undefined) return;
    const { request: read } = piped;
    const { id, operation } = fromBinary(PipeRequestSchema, bytes, requestReading);
    assert.equal(BigInt(piped.id), id);
    assert.equal(read.kind, operation.case);
    assert.ok(operation.case !== undefined && operation.case !== "txn");
    assert.equal(read.key.toString(), operation.value.key);
    const rest =
      read.kind === "set"
        ? { value: new Uint8Array(read.value) }
        : read.kind === "get"
          ? { serializable: read.isSerializable }
          : {};
    const schema = { set: { case: "set" }, get: { case: "get" }, delete: { case: "delete" } } as const;
    const expected = create(PipeRequestSchema, {
      id,
      operation: { ...schema[read.kind], value: { key: operation.value.key, ...rest } },
    });
    assert.deepEqual(
      toBinary(PipeRequestSchema, create(PipeRequestSchema, { id, operation })),
      toBinary(PipeRequestSchema, expected),
      "it has nothing else in it",
    );
  },
});

const count = fc.oneof(fc.nat(300), fc.maxSafeNat());
const status = fc.record({ leader: fc.string({ maxLength: 9 }), term: count, applied: count }).map((one) => ({
  clusterId: 7n,
  memberId: nodeId(8n),
  name: "one",
  role: "leader" as const,
  term: term(one.term),
  leader: one.leader,
  leaderId: undefined,
  appliedIndex: logIndex(one.applied),
  revision: 1,
  isCorrupt: false,
}));
const header = fc.record({ status, revision: count });
const found = fc.record({
  key: value,
  value,
  createRevision: count,
  modRevision: count,
  version: count,
  lease: fc.bigInt(0n, 2n ** 63n - 1n),
});
const previous = fc.option(found, { nil: undefined });

interface Case {
  readonly settled: Settled;
  readonly expected: PipeAnswer;
}

const answers = fc.oneof(
  fc.record({ id: count, answer: fc.record({ header, found }) }).map(
    ({ id, answer }): Case => ({
      settled: { kind: "get", id, answer },
      expected: { id: BigInt(id), result: { case: "get", value: getResponse(answer) } },
    }),
  ),
  fc.record({ id: count, answer: fc.record({ header, previous }) }).map(
    ({ id, answer }): Case => ({
      settled: { kind: "set", id, answer },
      expected: { id: BigInt(id), result: { case: "set", value: setResponse(answer) } },
    }),
  ),
  fc.record({ id: count, answer: fc.record({ header, previous, deleted: fc.boolean() }) }).map(
    ({ id, answer }): Case => ({
      settled: { kind: "delete", id, answer },
      expected: { id: BigInt(id), result: { case: "delete", value: deleteResponse(answer) } },
    }),
  ),
  count.map((id): Case => {
    const answer: PipeAnswer = {
      id: BigInt(id),
      result: { case: "error", value: { status: 3, message: "no", detail: { code: "empty_key" } } },
    };
    return { settled: { kind: "general", answer }, expected: answer };
  }),
);

describe("answers of a pipe", () => {
  // One encoder for all, as in production: what it remembers of one answer must not show in the next.
  const frames = new AnswerFrames();

  it("have the bytes that protobuf-es would write, one behind the other", () => {
    fc.assert(
      fc.property(fc.array(answers, { maxLength: 6 }), (cases) => {
        const expected = cases.map((one) =>
          frame(toBinary(PipeResponseSchema, create(PipeResponseSchema, one.expected))),
        );
        assert.deepEqual(frames.encode(cases.map(({ settled }) => settled)), Buffer.concat(expected));
      }),
      { numRuns: 300 },
    );
  });
});
