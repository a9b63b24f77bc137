/** The bytes of connections on which the text and the binary protocol are spoken, before they are commands. */
import assert from "node:assert/strict";
import { damaged, fuzz, inPieces } from "@dkv/fuzz";
import fc from "fast-check";
import { BinaryReader, type BinaryRequest, codes } from "../../src/api/binary/request-reader.ts";
import { Arrived } from "../../src/api/stream/arrived.ts";
import type { RequestReader } from "../../src/api/stream/protocol.ts";
import { Room } from "../../src/api/stream/room.ts";
import { TextReader, type TextRequest } from "../../src/api/text/request-reader.ts";

const maxRequestBytes = 400;

interface Read<Request> {
  readonly requests: readonly Request[];
  /** The answer behind which the connection ends; undefined if more could come. */
  readonly last: string | undefined;
}

/** As a connection reads them. */
function read<Request>(reader: RequestReader<Request>, pieces: readonly Buffer[]): Read<Request> {
  const room = new Room(2 ** 20);
  const arrived = new Arrived(room);
  const requests: Request[] = [];
  for (const piece of pieces) {
    let bytes = piece;
    if (!arrived.isEmpty) {
      assert.ok(arrived.add(piece));
      if (!arrived.isEnough) continue;
      bytes = arrived.take();
    }
    for (let at = 0; at < bytes.length; ) {
      const reading = reader.next(bytes, at);
      if (reading.kind === "unreadable") return { requests, last: reading.answer.toString("latin1") };
      if (reading.kind === "part") {
        assert.ok(reading.wantedBytes > bytes.length - at, "it waits for more than is there");
        assert.ok(arrived.add(bytes.subarray(at), reading.wantedBytes));
        break;
      }
      assert.ok(reading.end > at && reading.end <= bytes.length, "it moves on");
      if (reading.kind === "request") requests.push(reading.request);
      at = reading.end;
    }
  }
  if (!arrived.isEmpty) {
    const reading = reader.last(arrived.take());
    assert.ok(room.take(2 ** 20), "all room is given back");
    if (reading.kind === "request") requests.push(reading.request);
    if (reading.kind === "unreadable") return { requests, last: reading.answer.toString("latin1") };
  }
  return { requests, last: undefined };
}

const key = fc.stringMatching(/^[a-z\u00a0-\u00ff]{1,8}$/);
const value = fc
  .uint8Array({ minLength: 1, maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));
const seconds = fc.constantFrom("0", "5", "9000000000", "-1");
const command = fc.oneof(
  fc.tuple(key, seconds, value).map(([k, s, v]) => `set ${k} ${s} ${String(v.length)}\r\n${v}\r\n`),
  fc
    .tuple(key, seconds, fc.bigInt(-3n, 300n), value)
    .map(([k, s, version, v]) => `cas ${k} ${s} ${String(version)} ${String(v.length)}\r\n${v}\r\n`),
  fc.tuple(fc.constantFrom("get", "getm", "delete"), key).map(([word, k]) => `${word} ${k}\r\n`),
  fc.constant("\r\n"),
);
const lines = fc.array(command, { maxLength: 6 }).map((list) => Buffer.from(list.join(""), "latin1"));

/** A command as a careful client writes it. */
function textOf(request: TextRequest): string {
  const name = "key" in request ? request.key.toString("latin1") : "";
  switch (request.kind) {
    case "mistaken":
      return "mistaken\r\n";
    case "set":
    case "cas": {
      const version = request.kind === "cas" ? ` ${BigInt(request.version).toString()}` : "";
      const counts = `${String(request.ttlSeconds)}${version} ${String(request.value.length)}`;
      return `${request.kind} ${name} ${counts}\r\n${request.value.toString("latin1")}\r\n`;
    }
    default:
      return `${request.kind} ${name}\r\n`;
  }
}

fuzz("commands of the text protocol", {
  input: inPieces(damaged(lines)),
  check(pieces) {
    const whole = read(new TextReader(maxRequestBytes), [Buffer.concat(pieces)]);
    assert.deepEqual(read(new TextReader(maxRequestBytes), pieces), whole, "pieces make no difference");
    // A version beyond the numbers that are exact is not written as it was, and is nobody's.
    const exact = whole.requests.filter((one) => one.kind !== "cas" || Number.isSafeInteger(one.version));
    const again = Buffer.from(exact.map(textOf).join(""), "latin1");
    assert.deepEqual(read(new TextReader(maxRequestBytes), [again]).requests, exact);
  },
});

function text(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(one: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(one);
  return bytes;
}

function bytesOf(request: BinaryRequest): Buffer {
  switch (request.kind) {
    case "set": {
      const fields = [text(request.key), text(request.value), number(request.seconds)];
      return Buffer.concat([Buffer.of(codes.set), ...fields]);
    }
    case "get":
      return Buffer.concat([Buffer.of(codes.get), text(request.key)]);
    case "join":
      return Buffer.concat([Buffer.of(codes.join), text(request.name), text(request.address)]);
  }
}

const some = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const message = fc.oneof(
  fc.record({ key: some, value: some, seconds: fc.integer() }).map((set) => bytesOf({ kind: "set", ...set })),
  some.map((name) => bytesOf({ kind: "get", key: name })),
  fc
    .tuple(fc.constantFrom(codes.join, codes.joinAsDescribed), fc.string({ maxLength: 9 }))
    .map(([code, name]) => Buffer.concat([Buffer.of(code), text(name), text("localhost:2380")])),
);
const messages = fc.array(message, { maxLength: 6 }).map((list) => Buffer.concat(list));

fuzz("commands of the binary protocol", {
  input: inPieces(damaged(messages)),
  check(pieces) {
    const whole = read(new BinaryReader(maxRequestBytes), [Buffer.concat(pieces)]);
    assert.deepEqual(read(new BinaryReader(maxRequestBytes), pieces), whole, "pieces make no difference");
    const again = Buffer.concat(whole.requests.map(bytesOf));
    assert.deepEqual(read(new BinaryReader(maxRequestBytes), [again]).requests, whole.requests);
  },
});
