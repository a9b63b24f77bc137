/** What no client library does with a Pipe, on both of the ways that gRPC may take. */
import assert from "node:assert/strict";
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import {
  type KeyIntervalSchema,
  PipeRequestSchema,
  type PipeResponse,
  PipeResponseSchema,
  type TxnRequestSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import { GrowingBuffer } from "../../src/platform/growing-buffer.ts";
import { type ClientPort, openClientPort, type PortOptions } from "./client-port.ts";
import { connectHttp2, frame } from "./raw-http2.ts";

const pipe = {
  ":method": "POST",
  ":path": "/dkv.v1.DkvAPI/Pipe",
  "content-type": "application/grpc",
  te: "trailers",
};

const requestFrame = (request: MessageInitShape<typeof PipeRequestSchema>): Buffer =>
  frame(toBinary(PipeRequestSchema, create(PipeRequestSchema, request)));
const setFrame = (id: number, key: string, value: Uint8Array = Buffer.from("v")): Buffer =>
  requestFrame({ id: BigInt(id), operation: { case: "set", value: { key, value } } });
const getFrame = (id: number, key: string): Buffer =>
  requestFrame({ id: BigInt(id), operation: { case: "get", value: { key } } });

/** A value. */
const large = Buffer.alloc(100_000, 7);

const txnOf = (
  keys: MessageInitShape<typeof KeyIntervalSchema>,
): MessageInitShape<typeof TxnRequestSchema> => ({
  success: [{ operation: { case: "get", value: { keys } } }],
});

/** A stream whose answers are read when they are asked for. */
class PipeCaller {
  readonly stream: ClientHttp2Stream;
  /** In which the answers came. */
  chunks = 0;
  status: string | undefined;
  message = "";
  readonly #answers: PipeResponse[] = [];
  readonly #unread = new GrowingBuffer();
  #missingBytes = 5;
  #isReading = false;
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    const onFields = (fields: IncomingHttpHeaders): void => {
      this.status ??= fields["grpc-status"]?.toString();
      this.message ||= decodeURIComponent(fields["grpc-message"]?.toString() ?? "");
    };
    const onOver = (): void => {
      this.#isOver = true;
      this.#wake();
    };
    stream.on("response", onFields).on("trailers", onFields);
    stream.on("error", () => undefined);
    stream.on("end", onOver).on("close", onOver);
  }

  /** The answers that are there once so many are, or there will be no more. */
  async take(count: number): Promise<readonly PipeResponse[]> {
    if (!this.#isReading)
      this.stream.on("data", (chunk: Buffer) => {
        this.chunks += 1;
        this.#read(chunk);
        this.#wake();
      });
    this.#isReading = true;
    while (this.#answers.length < count && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#answers;
  }

  #read(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      const piece = rest.subarray(0, this.#missingBytes);
      rest = rest.subarray(piece.length);
      this.#unread.append(piece);
      this.#missingBytes -= piece.length;
      if (this.#missingBytes > 0) return;
      if (this.#unread.length === 5) this.#missingBytes = this.#unread.bytes.readUInt32BE(1);
      if (this.#missingBytes > 0) continue;
      this.#answers.push(fromBinary(PipeResponseSchema, this.#unread.take().subarray(5)));
      this.#missingBytes = 5;
    }
  }
}

for (const bypass of ["allowed", "forbidden"] as const) {
  const open = async (
    t: TestContext,
    options: PortOptions = {},
  ): Promise<ClientPort & { begin(): PipeCaller }> => {
    const port = await openClientPort(t, { bypass, ...options });
    const session = await connectHttp2(port.url);
    t.after(() => {
      session.destroy();
    });
    return { ...port, begin: () => new PipeCaller(session.request(pipe)) };
  };
  /** As often as anything that could still happen would need, and more. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 300; turn += 1) await new Promise(setImmediate);
  };

  describe(`a Pipe of gRPC with the fast path ${bypass}`, () => {
    it("takes messages in any pieces", async (t) => {
      const { begin, bypassed } = await open(t);
      const caller = begin();
      const sent = Buffer.concat([
        ...Array.from({ length: 40 }, (_, id) => setFrame(id, `k${String(id)}`)),
        setFrame(40, "large", Buffer.alloc(200_000, 7)),
        getFrame(41, "missing"),
      ]);
      const cuts = [0, 1, 4, 5, 6, 7, 100, 101, 1000, 2000, 2003, 50_000, 150_000, sent.length];
      for (const [at, end] of cuts.entries()) {
        const piece = sent.subarray(cuts[at - 1] ?? 0, end);
        if (piece.length > 0) await new Promise((resolve) => caller.stream.write(piece, resolve));
      }
      caller.stream.end();
      const answers = await caller.take(42);
      assert.deepEqual(
        answers.map(({ id }) => Number(id)).toSorted((a, b) => a - b),
        Array.from({ length: 42 }, (_, id) => id),
      );
      await caller.take(Number.POSITIVE_INFINITY);
      assert.equal(caller.status, "0");
      assert.equal(bypassed(), bypass === "allowed" ? 1 : 0);
    });

    for (const { what, bytes, status, words } of [
      {
        what: "half a prefix",
        bytes: Buffer.from([0, 0]),
        status: Code.InvalidArgument,
        words: "incomplete envelope",
      },
      {
        what: "half a message",
        bytes: setFrame(2, "k").subarray(0, 9),
        status: Code.InvalidArgument,
        words: "incomplete envelope",
      },
      {
        what: "a compressed message without a word of how",
        bytes: frame(Buffer.alloc(9), 1),
        status: Code.Internal,
        words: "compressed",
      },
      {
        what: "bytes that are no message",
        bytes: frame(Buffer.alloc(20, 0xff)),
        status: Code.Internal,
        words: "parse binary",
      },
      {
        what: "a key that is not UTF-8",
        bytes: frame(Buffer.from([0x1a, 4, 0x0a, 2, 0xc3, 0x28])),
        status: Code.Internal,
        words: "parse binary",
      },
      {
        what: "a length over the limit",
        bytes: Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]),
        status: Code.InvalidArgument,
        words: "too large",
      },
    ]) {
      it(`ends with ${what}, after an answer and without any`, async (t) => {
        const { begin } = await open(t);
        for (const before of [[], [setFrame(1, "k")]]) {
          const caller = begin();
          for (const one of before) caller.stream.write(one);
          if (before.length > 0) await caller.take(1);
          caller.stream.end(bytes);
          assert.equal((await caller.take(Number.POSITIVE_INFINITY)).length, before.length);
          assert.equal(caller.status, String(status));
          assert.ok(caller.message.includes(words), caller.message);
        }
      });
    }

    it("may be idle for long, but not in the middle of a message", async (t) => {
      const { begin } = await open(t, { bodyTimeoutMs: 100 });
      const [idle, late] = [begin(), begin()];
      idle.stream.write(setFrame(1, "k"));
      late.stream.write(setFrame(1, "k").subarray(0, 10));
      assert.equal((await late.take(Number.POSITIVE_INFINITY)).length, 0);
      assert.notEqual(late.status, "0");
      assert.equal((await idle.take(1)).length, 1);
      idle.stream.write(setFrame(2, "k"));
      assert.equal((await idle.take(2)).length, 2);
    });

    it("does not read for a client that takes nothing", async (t) => {
      const { begin, member } = await open(t);
      const writer = begin();
      writer.stream.write(setFrame(1, "k", Buffer.alloc(100_000, 7)));
      await writer.take(1);
      const caller = begin();
      caller.stream.write(Buffer.concat(Array.from({ length: 200 }, (_, id) => getFrame(id, "k"))));
      while (member.reads === 0) await new Promise(setImmediate);
      await settle();
      assert.ok(member.reads < 40, `${String(member.reads)} values of 100 kB were read`);
      assert.equal((await caller.take(200)).length, 200);
    });

    const all = { keys: { case: "prefix", value: "" } } as const;
    const one = { keys: { case: "key", value: "k" } } as const;
    for (const [what, operation, most] of [
      ["gets of the past", { case: "get", value: { key: "k", revision: 2n } }, 110],
      ["transactions", { case: "txn", value: txnOf(one) }, 110],
      ["transactions of many keys", { case: "txn", value: txnOf(all) }, 40],
    ] as const)
      it(`does not do ${what}, which answer values, for a client that takes nothing`, async (t) => {
        const { begin, member } = await open(t);
        const writer = begin();
        writer.stream.write(setFrame(1, "k", large));
        await writer.take(1);
        const before = member.reads + member.proposals;
        const caller = begin();
        const requests = Array.from({ length: 600 }, (_, id) => requestFrame({ id: BigInt(id), operation }));
        caller.stream.write(Buffer.concat(requests));
        for (let done = -1; done < member.reads + member.proposals; await settle())
          done = member.reads + member.proposals;
        const done = member.reads + member.proposals - before;
        assert.ok(done <= most, `${String(done)} were done`);
        assert.equal((await caller.take(600)).length, 600);
      });

    it("takes nothing from a client that takes nothing", async (t) => {
      const { begin, member } = await open(t);
      const caller = begin();
      const sets = 5000;
      caller.stream.write(Buffer.concat(Array.from({ length: sets }, (_, id) => setFrame(id, "k"))));
      for (let before = -1; before < member.proposals; await settle()) before = member.proposals;
      assert.ok(member.proposals < 4000, `${String(member.proposals)} were taken`);
      assert.equal((await caller.take(sets)).length, sets);
    });

    it("takes only so many bytes of operations at a time", async (t) => {
      const { begin, member } = await open(t);
      const caller = begin();
      const release = member.holdWrites();
      const mebibyte = Buffer.alloc(1024 * 1024, 7);
      for (let id = 0; id < 10; id += 1) caller.stream.write(setFrame(id, "k", mebibyte));
      while (member.proposals < 4) await new Promise(setImmediate);
      await settle();
      assert.equal(member.proposals, 4);
      release();
      assert.equal((await caller.take(10)).length, 10);
    });
  });
}

describe("a Pipe on the fast path", () => {
  it("has reads that come together share a confirmation, and their answers a frame", async (t) => {
    const { url, member } = await openClientPort(t);
    const session = await connectHttp2(url);
    t.after(() => {
      session.destroy();
    });
    const caller = new PipeCaller(session.request(pipe));
    caller.stream.write(Buffer.concat(Array.from({ length: 100 }, (_, id) => getFrame(id, "missing"))));
    assert.equal((await caller.take(100)).length, 100);
    assert.equal(member.barriers, 1);
    assert.equal(caller.chunks, 1);
  });

  it("is left to Connect with a deadline", async (t) => {
    const { url, bypassed, member } = await openClientPort(t);
    const session = await connectHttp2(url);
    t.after(() => {
      session.destroy();
    });
    member.hasQuorum = false;
    const caller = new PipeCaller(session.request({ ...pipe, "grpc-timeout": "50m" }));
    caller.stream.write(setFrame(1, "k"));
    await caller.take(Number.POSITIVE_INFINITY);
    assert.equal(caller.status, String(Code.DeadlineExceeded));
    assert.equal(bypassed(), 0);
  });
});
