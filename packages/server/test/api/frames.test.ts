import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  DeleteResponseSchema,
  GetResponseSchema,
  ListResponseSchema,
  SetResponseSchema,
  TxnResponseSchema,
  WatchResponseSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import { type OperationResult, toByteString, type TxnResult } from "@dkv/store";
import fc from "fast-check";
import {
  deleteResponse,
  getResponse,
  keyValue,
  responseHeader,
  setResponse,
  withPrevious,
} from "../../src/api/dkv-v1/answers.ts";
import { ListFrames } from "../../src/api/dkv-v1/encoding/list-frames.ts";
import { TxnFrames } from "../../src/api/dkv-v1/encoding/txn-frames.ts";
import { WatchFrames } from "../../src/api/dkv-v1/encoding/watch-frames.ts";
import { FrameEncoder } from "../../src/api/dkv-v1/frames.ts";
import { listResponse } from "../../src/api/dkv-v1/list-service.ts";
import { txnResponse } from "../../src/api/dkv-v1/txn-service.ts";
import { eventKind, keyValueOf } from "../../src/api/dkv-v1/watch-events.ts";
import type { WatchEvent } from "../../src/consensus/member.ts";
import { count, found, header } from "./answers-arbitrary.ts";
import { frame } from "./raw-http2.ts";

/** What protobuf-es would send. */
const general = <Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Buffer =>
  frame(toBinary(schema, create(schema, init)));

const runs = { numRuns: 500 };

// One encoder for all answers of a kind, as in production: what it remembers must not show in the next one.
describe("frames of answers", () => {
  it("have the bytes that protobuf-es would write", () => {
    const frames = new FrameEncoder();
    fc.assert(
      fc.property(header, found, fc.option(found, { nil: undefined }), (header, found, previous) => {
        const deleted = previous !== undefined;
        const get = general(GetResponseSchema, getResponse({ header, found }));
        assert.deepEqual(frames.get({ header, found }), get);
        const set = general(SetResponseSchema, setResponse({ header, previous }));
        assert.deepEqual(frames.set({ header, previous }), set);
        const answer = { header, deleted, previous };
        assert.deepEqual(frames.delete(answer), general(DeleteResponseSchema, deleteResponse(answer)));
      }),
      runs,
    );
  });

  it("of transactions do, whatever is in them", () => {
    const frames = new TxnFrames();
    const list = fc.array(found, { maxLength: 4 });
    const { txn } = fc.letrec<{ txn: TxnResult; result: OperationResult }>((tie) => ({
      txn: fc.record({
        kind: fc.constant("txn"),
        revision: count,
        succeeded: fc.boolean(),
        results: fc.array(tie("result"), { maxLength: 4, depthIdentifier: "txn" }),
      }),
      result: fc.oneof(
        { depthIdentifier: "txn", maxDepth: 3 },
        fc.record({
          kind: fc.constant("set"),
          revision: count,
          previous: fc.option(found, { nil: undefined }),
        }),
        fc.record({ kind: fc.constant("delete"), revision: count, deleted: count, previous: list }),
        fc.record({
          kind: fc.constant("range"),
          revision: count,
          found: list,
          hasMore: fc.boolean(),
          count,
        }),
        tie("txn"),
      ),
    }));
    fc.assert(
      fc.property(header, txn, (header, result) => {
        const expected = general(TxnResponseSchema, txnResponse({ header, result }));
        assert.deepEqual(frames.frame({ header, result }), expected);
      }),
      runs,
    );
  });

  it("of pages of a list do", () => {
    const frames = new ListFrames();
    const page = fc.record({ found: fc.array(found, { maxLength: 20 }), nextPageToken: fc.string() });
    fc.assert(
      fc.property(header, page, ({ status, revision }, page) => {
        const answer = { status, revision, ...page };
        assert.deepEqual(frames.frame(answer), general(ListResponseSchema, listResponse(answer)));
      }),
      runs,
    );
  });
});

const event: fc.Arbitrary<WatchEvent> = fc
  .record({ isDeleted: fc.boolean(), found, sub: fc.nat(), previous: fc.option(found, { nil: undefined }) })
  .map(({ isDeleted, found: { key, value, ...facts }, sub, previous }) => {
    const { modRevision } = facts;
    const made = isDeleted
      ? ({ isDeleted, modRevision, sub } as const)
      : ({ isDeleted, sub, ...facts, value: toByteString(value) } as const);
    return { change: { key: toByteString(key), made, previous: undefined }, previous };
  });

const eventInit = ({ change, previous }: WatchEvent) => ({
  kind: eventKind(change),
  kv: keyValue(keyValueOf(change)),
  ...withPrevious(previous),
});

describe("frames of what watches are told", () => {
  const frames = new WatchFrames();

  it("have the bytes that protobuf-es would write, the first time and again", () => {
    const batches = fc.array(fc.record({ events: fc.array(event, { maxLength: 4 }) }), { maxLength: 3 });
    fc.assert(
      fc.property(batches, fc.array(fc.tuple(header, count), { minLength: 1 }), (batches, moments) => {
        for (const [header, revision] of [...moments, ...moments]) {
          const expected = general(WatchResponseSchema, {
            header: responseHeader(header),
            events: batches.flatMap(({ events }) => events).map(eventInit),
            revision: BigInt(revision),
          });
          assert.deepEqual(frames.frame(header, batches, revision), expected);
        }
      }),
      runs,
    );
  });

  it("are the same for all who are told the same at the same moment, and for nobody else", () => {
    const [[here, there] = []] = fc.sample(fc.tuple(header, header), 1);
    const [[one, two] = []] = fc.sample(fc.tuple(event, event), 1);
    assert.ok(here !== undefined && there !== undefined && one !== undefined && two !== undefined);
    const batches = [{ events: [one] }, { events: [two] }];
    const first = frames.frame(here, batches, 7);
    assert.equal(
      frames.frame(
        { ...here },
        batches.map((batch) => ({ ...batch })),
        7,
      ),
      first,
    );
    for (const next of [
      frames.frame(here, batches, 8),
      frames.frame({ ...here, revision: here.revision === 1 ? 2 : 1 }, batches, 7),
      frames.frame(here, batches.slice(1), 7),
      frames.frame(there, batches, 7),
    ])
      assert.notEqual(next, first);
    const message = fromBinary(WatchResponseSchema, frames.frame(here, batches, 7).subarray(5));
    assert.equal(message.events.length, 2);
  });
});
