/** The answers of etcd that are written out by hand, beside those that protobuf-es writes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  DeleteRangeResponseSchema,
  LeaseGrantResponseSchema,
  PutResponseSchema,
  RangeResponseSchema,
  RangeStreamResponseSchema,
  type ResponseOpSchema,
  TxnResponseSchema,
  WatchResponseSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import type { EventSchema, KeyValueSchema } from "@dkv/protocol/mvccpb/kv";
import { type KeyValue, type OperationResult, toByteString, type TxnResult } from "@dkv/store";
import fc from "fast-check";
import { keyValueOf } from "../../src/api/dkv-v1/watch-events.ts";
import type { AnswerHeader } from "../../src/api/etcd-v3/encoding/header.ts";
import { KvFrames } from "../../src/api/etcd-v3/encoding/kv-frames.ts";
import { LeaseFrames } from "../../src/api/etcd-v3/encoding/lease-frames.ts";
import { WatchFrames } from "../../src/api/etcd-v3/encoding/watch-frames.ts";
import type { WatchEvent } from "../../src/consensus/member.ts";
import { count, found, header } from "./answers-arbitrary.ts";
import { frame } from "./raw-http2.ts";

/** What protobuf-es would send. */
const general = <Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Buffer =>
  frame(toBinary(schema, create(schema, init)));

const runs = { numRuns: 300 };

const headerInit = ({ status, revision }: AnswerHeader) => ({
  clusterId: status.clusterId,
  memberId: status.memberId,
  revision: BigInt(revision),
  raftTerm: BigInt(status.term),
});

const kvInit = (kv: KeyValue): MessageInitShape<typeof KeyValueSchema> => ({
  key: Uint8Array.from(kv.key),
  value: Uint8Array.from(kv.value),
  createRevision: BigInt(kv.createRevision),
  modRevision: BigInt(kv.modRevision),
  version: BigInt(kv.version),
  lease: kv.lease,
});

const prevInit = (previous: KeyValue | undefined) =>
  previous === undefined ? {} : { prevKv: kvInit(previous) };

const list = fc.array(found, { maxLength: 4 });
const range = fc.record({ found: list, hasMore: fc.boolean(), count });
const previous = fc.option(found, { nil: undefined });
const set = fc.record({ kind: fc.constant("set"), revision: count, previous });
const deletion = fc.record({
  kind: fc.constant("delete"),
  revision: count,
  deleted: count,
  previous: list,
});

const rangeInit = (content: { found: readonly KeyValue[]; hasMore: boolean; count: number }) => ({
  kvs: content.found.map(kvInit),
  more: content.hasMore,
  count: BigInt(content.count),
});

function opInit(result: OperationResult): MessageInitShape<typeof ResponseOpSchema> {
  const header = { revision: BigInt(result.revision) };
  switch (result.kind) {
    case "range":
      return { response: { case: "responseRange", value: { ...rangeInit(result), header } } };
    case "set":
      return { response: { case: "responsePut", value: { ...prevInit(result.previous), header } } };
    case "delete": {
      const { deleted, previous: before } = result;
      const value = { header, deleted: BigInt(deleted), prevKvs: before.map(kvInit) };
      return { response: { case: "responseDeleteRange", value } };
    }
    case "txn":
      return { response: { case: "responseTxn", value: { ...outcomeInit(result), header: {} } } };
  }
}

const outcomeInit = ({ succeeded, results }: TxnResult) => ({ succeeded, responses: results.map(opInit) });

// One encoder for all answers of a kind, as in production: what it remembers must not show in the next one.
describe("frames of etcd", () => {
  it("have the bytes that protobuf-es would write", () => {
    const frames = new KvFrames();
    const leases = new LeaseFrames();
    const some = fc.record({ header, range, set, deletion });
    fc.assert(
      fc.property(some, ({ header, range, set, deletion }) => {
        const { status } = header;
        const ranged = { ...rangeInit(range), header: headerInit(header) };
        assert.deepEqual(frames.range(header, range), general(RangeResponseSchema, ranged));
        const part = general(RangeStreamResponseSchema, { rangeResponse: rangeInit(range) });
        assert.deepEqual(frames.part(range, undefined), part);
        const last = general(RangeStreamResponseSchema, { rangeResponse: ranged });
        assert.deepEqual(frames.part(range, header), last);
        const { revision, previous } = set;
        const put = { header: headerInit({ status, revision }), ...prevInit(previous) };
        assert.deepEqual(frames.put(status, set), general(PutResponseSchema, put));
        const deleted = {
          header: headerInit({ status, revision: deletion.revision }),
          deleted: BigInt(deletion.deleted),
          prevKvs: deletion.previous.map(kvInit),
        };
        assert.deepEqual(frames.delete(status, deletion), general(DeleteRangeResponseSchema, deleted));
        const granted = { header: headerInit(header), ID: BigInt(-revision), TTL: BigInt(revision) };
        assert.deepEqual(
          leases.frame(header, { id: granted.ID, ttl: granted.TTL }),
          general(LeaseGrantResponseSchema, granted),
        );
      }),
      runs,
    );
  });

  it("of transactions do, whatever is in them", () => {
    const frames = new KvFrames();
    const ranged = range.map((content) => ({ kind: "range", revision: content.count, ...content }) as const);
    const { txn } = fc.letrec<{ txn: TxnResult; result: OperationResult }>((tie) => ({
      txn: fc.record({
        kind: fc.constant("txn"),
        revision: count,
        succeeded: fc.boolean(),
        results: fc.array(tie("result"), { maxLength: 4, depthIdentifier: "txn" }),
      }),
      result: fc.oneof({ depthIdentifier: "txn", maxDepth: 3 }, set, deletion, ranged, tie("txn")),
    }));
    fc.assert(
      fc.property(header, txn, ({ status }, result) => {
        const answer = { ...outcomeInit(result), header: headerInit({ status, revision: result.revision }) };
        assert.deepEqual(frames.txn(status, result), general(TxnResponseSchema, answer));
      }),
      runs,
    );
  });
});

const event: fc.Arbitrary<WatchEvent> = fc
  .record({ isDeleted: fc.boolean(), found, sub: fc.nat(), previous })
  .map(({ isDeleted, found: { key, value, ...facts }, sub, previous }) => {
    const { modRevision } = facts;
    const made = isDeleted
      ? ({ isDeleted, modRevision, sub } as const)
      : ({ isDeleted, sub, ...facts, value: toByteString(value) } as const);
    return { change: { key: toByteString(key), made, previous: undefined }, previous };
  });

const eventInit = ({ change, previous }: WatchEvent): MessageInitShape<typeof EventSchema> => ({
  type: change.made.isDeleted ? 1 : 0,
  kv: kvInit(keyValueOf(change)),
  ...prevInit(previous),
});

describe("frames of what watches of etcd are told", () => {
  const frames = new WatchFrames();
  const batches = fc.array(fc.record({ events: fc.array(event, { maxLength: 4 }) }), { maxLength: 3 });
  const watchId = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

  it("have the bytes that protobuf-es would write, the first time and again", () => {
    const moments = fc.array(fc.record({ header, watchId }), { minLength: 1 });
    fc.assert(
      fc.property(batches, moments, (batches, moments) => {
        for (const { header, watchId } of [...moments, ...moments]) {
          const { status, revision } = header;
          const events = batches.flatMap((batch) => batch.events).map(eventInit);
          const expected = general(WatchResponseSchema, { header: headerInit(header), watchId, events });
          assert.deepEqual(frames.events(status, { watchId, revision, batches }), expected);
        }
      }),
      runs,
    );
  });

  it("of other answers do", () => {
    const answer = fc.record({
      watchId,
      revision: count,
      created: fc.boolean(),
      canceled: fc.boolean(),
      compactRevision: count,
      cancelReason: fc.string({ unit: "grapheme" }),
    });
    fc.assert(
      fc.property(header, answer, ({ status }, answer) => {
        const { revision, compactRevision, ...rest } = answer;
        const expected = general(WatchResponseSchema, {
          ...rest,
          compactRevision: BigInt(compactRevision),
          header: headerInit({ status, revision }),
        });
        assert.deepEqual(frames.control(status, answer), expected);
      }),
      runs,
    );
  });

  it("in fragments are the same events in their order, none larger than allowed but for one event", () => {
    fc.assert(
      fc.property(header, batches, fc.integer({ min: 1, max: 3000 }), ({ status }, batches, maxBytes) => {
        const frame = frames.fragments(status, { watchId: 1n, revision: 2, batches }, maxBytes);
        const answers = messagesIn(frame).map((message) => fromBinary(WatchResponseSchema, message));
        const whole = messagesIn(frames.events(status, { watchId: 1n, revision: 2, batches }));
        const events = whole.flatMap((message) => fromBinary(WatchResponseSchema, message).events);
        assert.deepEqual(
          answers.flatMap((answer) => answer.events),
          events,
        );
        assert.deepEqual(
          answers.map(({ fragment }) => fragment),
          answers.map((_, at) => at < answers.length - 1),
        );
        for (const [at, message] of messagesIn(frame).entries())
          assert.equal(message.length <= maxBytes || (answers[at]?.events.length ?? 0) <= 1, true);
      }),
      runs,
    );
  });
});

function messagesIn(frames: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < frames.length; ) {
    const end = at + 5 + frames.readUInt32BE(at + 1);
    messages.push(frames.subarray(at + 5, end));
    at = end;
  }
  return messages;
}
