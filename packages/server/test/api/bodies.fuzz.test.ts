/** Requests as they come to the client port, for every protocol and on both of the ways that they may take. */
import assert from "node:assert/strict";
import { gunzipSync, gzipSync } from "node:zlib";
import { damaged, damagedMessage, fuzz, inPieces, readOrRefused } from "@dkv/fuzz";
import { type Answer, HeaderDecoder, type Receiver, type ServerStream } from "@dkv/http2";
import fc from "fast-check";
import { pino } from "pino";
import { ArrivingMessage, prefixBytes } from "../../src/api/arriving-message.ts";
import { BodyBudget } from "../../src/api/body-budget.ts";
import { limitBody } from "../../src/api/body-limit.ts";
import { createClientApi } from "../../src/api/client-api.ts";
import { parseGrpcTimeout } from "../../src/api/grpc-timeout.ts";
import { shortenTimeouts } from "../../src/api/timeout-headers.ts";
import { DkvError } from "../../src/platform/errors.ts";
import { MemberInMemory } from "./member-in-memory.ts";
import { frame } from "./raw-http2.ts";
import { requests } from "./request-bodies.ts";

const anyBytes = fc.uint8Array({ maxLength: 60 });
const method = fc.constantFrom("Set", "Get", "Delete", "List", "Txn");

const maxBytes = 100_000;

class TooLarge extends Error {}

/** The bytes of one stream of messages, each with its length in front. */
const messages = fc
  .array(
    anyBytes.map((bytes) => frame(Buffer.from(bytes))),
    { maxLength: 4 },
  )
  .map((list) => Buffer.concat(list));

fuzz("messages that arrive", {
  input: fc.tuple(inPieces(damaged(messages)), fc.boolean(), fc.constantFrom(0, 20_000, 1e9)),
  async check([pieces, hasPrefix, budgetBytes]) {
    const budget = new BodyBudget({ maxBytes: budgetBytes, maxConnectionBytes: budgetBytes });
    const connection = {};
    const limit = { maxBytes, hasPrefix, tooLarge: () => new TooLarge() };
    const whole = Buffer.concat(pieces);
    const message = new ArrivingMessage(limit, { budget, connection });
    const isTaken = readOrRefused(
      () => {
        for (const piece of pieces) message.append(piece);
        return true;
      },
      TooLarge,
      DkvError,
    );
    const declared = hasPrefix && whole.length >= prefixBytes ? whole.readUInt32BE(1) : 0;
    if (isTaken) assert.ok(Math.max(declared, whole.length - prefixBytes) <= maxBytes, "what is too large");
    assert.ok(message.take().equals(whole.subarray(0, message.length)) || message.length === 0);
    const read: Buffer[] = [];
    const body = limitBody(
      each(pieces),
      { ...limit, timed: "request", timeoutMs: 1, onTimeout: () => undefined },
      { budget, connection, clock: stillClock },
    );
    try {
      for await (const one of body) read.push(Buffer.from(one));
      assert.ok(Buffer.concat(read).equals(whole), "nothing is lost or added");
    } catch (error) {
      assert.ok(error instanceof TooLarge || error instanceof DkvError, String(error));
      assert.ok(whole.subarray(0, Buffer.concat(read).length).equals(Buffer.concat(read)));
    }
    if (hasPrefix)
      for (const one of read.slice(0, -1))
        assert.equal(one.length, prefixBytes + one.readUInt32BE(1), "one message at a time");
    budget.take(connection, budgetBytes);
  },
});

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  for (const item of items) yield await Promise.resolve(item);
}

const stillClock = {
  nowMs: () => 0,
  after: () => () => undefined,
  every: () => () => undefined,
  soon: setImmediate,
};

/** A client port without a port; it complains where something happens that nobody expects. */
function openApi() {
  const complaints: string[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => complaints.push(line) });
  const api = createClientApi(
    new MemberInMemory(),
    { maxRequestBytes: maxBytes, version: "1.2.3" },
    { clock: stillClock, logger },
  );
  return { api, complaints };
}

type Fields = readonly (readonly [name: string, value: string])[];

interface Call {
  readonly path: string;
  readonly fields: Fields;
  readonly pieces: readonly Buffer[];
}

/** The status of gRPC, from the trailers of an answer or from its headers. */
interface GrpcOutcome {
  readonly status: string | undefined;
  readonly body: Buffer;
}

async function overConnect({ api }: ReturnType<typeof openApi>, { path, fields, pieces }: Call) {
  const response = await api.onRequest({
    httpVersion: "2.0",
    method: "POST",
    scheme: "http",
    authority: "test",
    target: path,
    header: new Headers(fields.map(([name, value]): [string, string] => [name, value])),
    connection: {},
    body: each(pieces),
    signal: new AbortController().signal,
    abandon: () => undefined,
  });
  const parts: Uint8Array[] = [];
  for await (const part of response.body ?? []) parts.push(part);
  return { ...response, body: Buffer.concat(parts) };
}

/** Undefined if the fast path leaves it to Connect. */
async function overFastPath(
  { api }: ReturnType<typeof openApi>,
  { path, fields, pieces }: Call,
): Promise<GrpcOutcome | undefined> {
  const { promise, resolve } = Promise.withResolvers<GrpcOutcome>();
  const statusIn = (block: Buffer): string | undefined =>
    new HeaderDecoder({ tableBytes: 0, listBytes: 1e6 })
      .decode(block)
      .headers.find(([name]) => name === "grpc-status")?.[1];
  let released = 0;
  let isOpen = true;
  const stream: ServerStream = {
    head: {
      method: "POST",
      scheme: "http",
      path,
      authority: "test",
      fields: new Map(fields),
      contentLength: undefined,
    },
    isOpen: true,
    answer({ body, trailers }: Answer) {
      isOpen = false;
      resolve({ status: statusIn(trailers), body });
      return "taken";
    },
    answerBriefly(block) {
      isOpen = false;
      resolve({ status: statusIn(block), body: Buffer.alloc(0) });
    },
    begin: () => assert.fail("a unary call is answered at once"),
    write: () => assert.fail("a unary call is answered at once"),
    end: () => assert.fail("a unary call is answered at once"),
    cancel: () => assert.fail("a call is answered"),
    release(bytes) {
      released += bytes;
    },
  };
  const receiver: Receiver | undefined = api.onStream(stream, {});
  if (receiver === undefined) return undefined;
  let sent = 0;
  for (const piece of pieces.slice(0, -1)) {
    if (!isOpen) break;
    receiver.onData(piece);
    sent += piece.length;
  }
  assert.ok(released <= sent);
  if (isOpen) receiver.onEnd(pieces.at(-1) ?? Buffer.alloc(0));
  return promise;
}

/** Whether it is one message, and nothing else. */
const isOneMessage = (bytes: Buffer): boolean =>
  bytes.length >= prefixBytes && bytes.length === prefixBytes + bytes.readUInt32BE(1);

const timeout = fc.oneof(
  fc.constantFrom(undefined, "1S", "99999999H", "0n", "-1S", "S", "1.5S", "1 S"),
  fc.stringMatching(/^\d{1,9}[HMSmunx]?$/),
);

const grpcCall = method
  .chain((name) =>
    fc.record({
      name: fc.constant(name),
      pieces: inPieces(
        fc.oneof(
          damagedMessage(requests[name]).map((message) => frame(message)),
          damaged(requests[name].map((message) => frame(Buffer.from(message)))),
          damaged(requests[name].map((message) => frame(gzipSync(message), 1))),
        ),
      ),
      timeout,
      encoding: fc.constantFrom(undefined, "identity", "gzip", "zstd"),
    }),
  )
  .map(
    ({ name, pieces, timeout: time, encoding }): Call => ({
      path: `/dkv.v1.DkvAPI/${name}`,
      pieces,
      fields: [
        ["content-type", "application/grpc"],
        ...(time === undefined ? [] : [["grpc-timeout", time] as const]),
        ...(encoding === undefined ? [] : [["grpc-encoding", encoding] as const]),
      ],
    }),
  );

fuzz("gRPC bodies, on the fast path and on Connect", {
  input: grpcCall,
  runs: 200,
  async check(call) {
    const [fast, slow] = [openApi(), openApi()];
    const taken = await overFastPath(fast, call);
    const { status, header, trailer, body } = await overConnect(slow, call);
    const code = trailer?.get("grpc-status") ?? header?.get("grpc-status");
    if (taken !== undefined) {
      if (isOneMessage(Buffer.concat(call.pieces)))
        assert.equal(taken.status, code, "both ways give the same status");
      // Anything else is an error either way; which one depends on how much of it is looked at.
      else assert.ok(taken.status !== "0" && code !== "0");
      if (code === "0") assert.deepEqual(taken.body, body);
    } else assert.ok(status < 500 && (status !== 200 || code !== undefined), String(status));
    assert.deepEqual([...fast.complaints, ...slow.complaints], [], "nothing happens that nobody expects");
  },
});

const json = method.chain((name) =>
  fc
    .record({
      key: fc.oneof(fc.string(), fc.anything({ maxDepth: 1 })),
      value: fc.oneof(fc.base64String(), fc.anything({ maxDepth: 1 })),
      other: fc.option(fc.anything({ maxDepth: 1 }), { nil: undefined }),
    })
    .map((one) => ({ name, bytes: Buffer.from(jsonOf(one)) })),
);

/** What JSON cannot say is left out. */
function jsonOf(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? String(part) : part));
}

/** Deeper than anybody means it. */
const nested = fc
  .tuple(fc.constantFrom("key", "value", "other"), fc.nat(20_000))
  .map(([name, depth]) => Buffer.from(`{"${name}":${"[".repeat(depth)}${"]".repeat(depth)}}`));

const connectCall = fc
  .tuple(
    json.chain(({ name, bytes }) =>
      fc.record({
        name: fc.constant(name),
        pieces: inPieces(
          fc.oneof(
            damaged(fc.constant(bytes)),
            nested,
            damagedMessage(requests[name]),
            damaged(fc.constant(gzipSync(bytes))),
          ),
        ),
      }),
    ),
    fc.constantFrom("application/json", "application/proto", "application/connect+json", "text/plain"),
    fc.constantFrom(undefined, "gzip", "identity", "br"),
    fc.oneof(fc.constantFrom(undefined, "1000", "99999999999", "-1", "x"), fc.stringMatching(/^\d{1,12}$/)),
  )
  .map(
    ([{ name, pieces }, type, encoding, time]): Call => ({
      path: `/dkv.v1.DkvAPI/${name}`,
      pieces,
      fields: [
        ["content-type", type],
        ...(encoding === undefined ? [] : [["content-encoding", encoding] as const]),
        ...(time === undefined ? [] : [["connect-timeout-ms", time] as const]),
      ],
    }),
  );

fuzz("bodies of Connect and JSON", {
  input: connectCall,
  runs: 200,
  async check(call) {
    const open = openApi();
    const { status, header, body } = await overConnect(open, call);
    assert.ok(status >= 200 && status < 600, String(status));
    assert.deepEqual(open.complaints, [], "nothing happens that nobody expects");
    if (status === 200 && header?.get("content-type") === "application/json")
      JSON.parse((header.get("content-encoding") === "gzip" ? gunzipSync(body) : body).toString());
  },
});

/** Made once: what it takes to make one must not be counted as what it takes to read one. */
const packed = [2 ** 20, 2 ** 23, 2 ** 26].map((bytes) => gzipSync(Buffer.alloc(bytes)));

/** A small message that unpacks to a large one is not unpacked. */
fuzz("bodies that unpack to much", {
  input: fc.constantFrom(...packed),
  runs: 5,
  async check(body) {
    const open = openApi();
    const fields: Fields = [
      ["content-type", "application/proto"],
      ["content-encoding", "gzip"],
    ];
    const { status } = await overConnect(open, { path: "/dkv.v1.DkvAPI/Set", fields, pieces: [body] });
    assert.ok(status >= 400 && status < 500, String(status));
  },
});

fuzz("timeouts", {
  input: fc.oneof(timeout, fc.string()).map((text) => text ?? ""),
  check(text) {
    const parsed = parseGrpcTimeout(text);
    if (parsed !== undefined) assert.ok(Number.isFinite(parsed) && parsed >= 0);
    const value = text.replace(/[^ -~]/g, "");
    const header = new Headers({ "grpc-timeout": value, "connect-timeout-ms": value });
    shortenTimeouts(header);
    const shortened = parseGrpcTimeout(header.get("grpc-timeout") ?? "");
    assert.ok(shortened === undefined || shortened < 2 ** 31, "a timer can wait for it");
    const connect = header.get("connect-timeout-ms") ?? "";
    assert.ok(!/^\d{1,10}$/.test(connect) || Number(connect) < 2 ** 31, "a timer can wait for it");
  },
});
