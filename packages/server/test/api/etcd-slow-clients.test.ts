/** What clients of etcd that take no answers, or ask too much at once, cost their member. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  LeaseKeepAliveRequestSchema,
  RangeRequestSchema,
  WatchRequestSchema,
  type WatchResponse,
  WatchResponseSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { plainSet } from "@dkv/store";
import { PushedClock } from "../consensus/pushed-clock.ts";
import { type ClientPort, openClientPort } from "./client-port.ts";
import { bytes, openEtcd, refusalOf } from "./etcd-client.ts";
import { connectHttp2, frame } from "./raw-http2.ts";

const progressIntervalMs = 1000;

interface Opened extends ClientPort {
  readonly clock: PushedClock;
  /** Begins a stream whose answers are read when somebody listens. */
  begin(path: string): ClientHttp2Stream;
}

async function open(t: TestContext, bypass: "allowed" | "forbidden"): Promise<Opened> {
  const clock = new PushedClock();
  const port = await openClientPort(t, { bypass, clock, progressIntervalMs });
  const session = await connectHttp2(port.url);
  t.after(() => {
    session.destroy();
  });
  const headers = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
  return {
    ...port,
    clock,
    begin: (path) => {
      const stream = session.request({ ...headers, ":path": `/etcdserverpb.${path}` });
      stream.on("error", () => undefined);
      return stream;
    },
  };
}

const watchOf = (key: string, startRevision = 0n): Buffer => {
  const value = { key: bytes(key), rangeEnd: bytes("\0"), startRevision, progressNotify: true };
  const request = create(WatchRequestSchema, { requestUnion: { case: "createRequest", value } });
  return frame(toBinary(WatchRequestSchema, request));
};

interface Answers {
  readonly answers: readonly WatchResponse[];
  /** What is not a whole frame. */
  readonly rest: Buffer;
}

function answersIn(body: Buffer): Answers {
  const answers: WatchResponse[] = [];
  let rest = body;
  while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
    const end = 5 + rest.readUInt32BE(1);
    answers.push(fromBinary(WatchResponseSchema, rest.subarray(5, end)));
    rest = rest.subarray(end);
  }
  return { answers, rest };
}

/** All that a stream of watches says from now on, as it comes. */
function answersOf(stream: ClientHttp2Stream): readonly WatchResponse[] {
  const told: WatchResponse[] = [];
  let body = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    const { answers, rest } = answersIn(Buffer.concat([body, chunk]));
    told.push(...answers);
    body = Buffer.from(rest);
  });
  return told;
}

const revisionsIn = (answers: readonly WatchResponse[]): readonly number[] =>
  answers.flatMap(({ events }) => events.map(({ kv }) => Number(kv?.modRevision)));

/** Counts the watches that are asked of the member from now on. */
function counted({ watches }: ClientPort["member"]): () => number {
  let created = 0;
  const openStream = watches.open.bind(watches);
  watches.open = () => {
    const stream = openStream();
    const begin = stream.create.bind(stream);
    stream.create = (id, spec) => {
      created += 1;
      return begin(id, spec);
    };
    return stream;
  };
  return () => created;
}

async function pause(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
}

for (const bypass of ["allowed", "forbidden"] as const)
  describe(`a client of etcd with the fast path ${bypass}`, () => {
    it("that takes nothing of its watches is not served any further, and misses nothing", async (t) => {
      const { begin, member, clock } = await open(t, bypass);
      const created = counted(member);
      const stream = begin("Watch/Watch");
      stream.write(watchOf("\0"));
      await once(stream, "response");
      const value = Buffer.alloc(20_000, 7);
      const sets = 100;
      for (let at = 0; at < sets; at += 1) {
        await member.apply({ case: "set", value: plainSet(bytes(`k${String(at)}`), value) });
        await new Promise(setImmediate);
      }
      assert.ok(member.watches.calls < 30, `${String(member.watches.calls)} messages were asked for`);
      stream.write(watchOf("other"));
      await pause();
      assert.equal(created(), 1);
      // What was handed out and waits is not yet told.
      for (let times = 0; times < 2; times += 1) clock.push(2 * progressIntervalMs);
      const told = answersOf(stream);
      while (revisionsIn(told).length < sets) await new Promise(setImmediate);
      assert.ok(told.every(({ created, events }) => created || events.length > 0));
      assert.deepEqual(
        revisionsIn(told),
        Array.from({ length: sets }, (_, at) => at + 2),
      );
      while (created() < 2) await new Promise(setImmediate);
      stream.close();
      while (member.watches.openStreams > 0) await new Promise(setImmediate);
    });

    it("whose watches are all refused, while it takes nothing, may watch afterwards", async (t) => {
      const { begin, member } = await open(t, bypass);
      const stream = begin("Watch/Watch");
      const refusals = 2000;
      stream.write(Buffer.concat(Array.from({ length: refusals }, () => watchOf("a", -1n))));
      await once(stream, "response");
      await pause();
      const told = answersOf(stream);
      while (told.length < refusals) await new Promise(setImmediate);
      stream.write(watchOf("a"));
      while (told.length < refusals + 1) await new Promise(setImmediate);
      await member.apply({ case: "set", value: plainSet(bytes("a"), bytes("1")) });
      while (told.length < refusals + 2) await new Promise(setImmediate);
      assert.deepEqual(revisionsIn(told), [2]);
    });

    it("that takes nothing of a range in parts has no more of it read", async (t) => {
      const { begin, member } = await open(t, bypass);
      const value = Buffer.alloc(100_000, 7);
      const keys = 200;
      for (let at = 0; at < keys; at += 1)
        await member.apply({ case: "set", value: plainSet(bytes(`k${String(at)}`), value) });
      const stream = begin("KV/RangeStream");
      const range = create(RangeRequestSchema, { key: bytes("\0"), rangeEnd: bytes("\0") });
      stream.end(frame(toBinary(RangeRequestSchema, range)));
      await once(stream, "response");
      await pause();
      assert.ok(member.reads < 25, `${String(member.reads)} of 40 parts were read`);
      let taken = 0;
      stream.on("data", (chunk: Buffer) => {
        taken += chunk.length;
      });
      await once(stream, "end");
      assert.ok(taken > keys * value.length);
    });

    it("that keeps more leases alive at once than are answered has the rest wait", async (t) => {
      const { begin, member } = await open(t, bypass);
      member.hasQuorum = false;
      const stream = begin("Lease/LeaseKeepAlive");
      const request = frame(
        toBinary(LeaseKeepAliveRequestSchema, create(LeaseKeepAliveRequestSchema, { ID: 1n })),
      );
      stream.write(Buffer.concat(Array.from({ length: 3000 }, () => request)));
      while (member.timeouts.length < 1000) await new Promise(setImmediate);
      await pause();
      assert.equal(member.timeouts.length, 1000);
      stream.close();
    });
  });

describe("snapshots for clients of etcd", () => {
  it("are made of one member for four at once, and for others when one ends", async (t) => {
    const { maintenance, member } = await openEtcd(t);
    const { records } = member;
    const ending = new AbortController();
    member.records = async function* () {
      await once(ending.signal, "abort");
      yield* records();
    };
    const first = () => maintenance.snapshot({})[Symbol.asyncIterator]().next();
    const four = Array.from({ length: 4 }, first);
    while (member.openSnapshots < 4) await new Promise(setImmediate);
    assert.equal(await refusalOf(first()), "ResourceExhausted: etcdserver: too many requests");
    ending.abort();
    member.records = records;
    await Promise.all(four);
    while (member.openSnapshots > 0) await new Promise(setImmediate);
    assert.equal((await first()).done, false);
  });
});
