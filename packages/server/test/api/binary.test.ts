import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DkvError } from "../../src/platform/errors.ts";
import { BinaryReader } from "../../src/api/binary/request-reader.ts";
import { openStreamPort } from "./stream-port.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

const set = (key: string, value: string | Uint8Array, seconds = 0): Buffer =>
  Buffer.concat([Buffer.of(1), text(key), text(value), number(seconds)]);
const get = (key: string): Buffer => Buffer.concat([Buffer.of(2), text(key)]);
const join = (code: number, name: string | Uint8Array, address: string): Buffer =>
  Buffer.concat([Buffer.of(code), text(name), text(address)]);

const error = hex("02");
const getError = hex("02 00000000");

/** What nobody can go on from, with limits of 1,000 bytes for key and value. */
const endless: Readonly<Record<string, Buffer>> = {
  "an unknown code": hex("05"),
  "code 0": hex("00"),
  "a negative length": hex("02 ffffffff"),
  "the most negative one": hex("01 00000080"),
  "a length beyond the limit": hex("02 ffffff7f"),
  "a value beyond the limit": hex("01 01000000 61 ffffff7f"),
  "a value beyond it together with its key": Buffer.concat([Buffer.of(1), text("a"), number(1000)]),
  "a name beyond the limit": hex("04 05010000"),
  "a negative length behind another one": hex("01 01000000 61 ffffffff"),
};

describe("the binary protocol", () => {
  it("does not wait for what can never be a command", () => {
    for (const [name, bytes] of Object.entries(endless))
      assert.equal(new BinaryReader(1000).next(bytes, 0).kind, "unreadable", name);
    assert.equal(
      new BinaryReader(1000).next(Buffer.concat([Buffer.of(1), text("a"), number(999)]), 0).kind,
      "part",
    );
  });

  it("has the bytes of the system that it comes from", async (t) => {
    const { connect, member } = await openStreamPort(t, "binary");
    const client = await connect();
    client.send(hex("01 03000000 466f6f 03000000 426172 02000000"));
    assert.deepEqual(await client.bytes(1), hex("01"));
    client.send(hex("02 03000000 466f6f"));
    assert.deepEqual(await client.bytes(8), hex("01 03000000 426172"));
    client.send(hex("02 03000000 4b5f30"));
    assert.deepEqual(await client.bytes(5), hex("03 00000000"));
    client.send(hex("04 05000000 6e6f646532 0e000000 3132372e302e302e313a31313132"));
    assert.deepEqual(await client.bytes(1), hex("01"));
    assert.deepEqual(member.changes, [{ kind: "join", name: "node2", peerAddress: "127.0.0.1:1112" }]);
    assert.deepEqual(set("Foo", "Bar", 2), hex("01 03000000 466f6f 03000000 426172 02000000"));
  });

  it("takes 03 for a JOIN where it is one, and ends where it is not", async (t) => {
    const { connect, member } = await openStreamPort(t, "binary");
    const client = await connect();
    client.send(Buffer.concat([join(3, "node2", "127.0.0.1:1112"), set("a", "1")]));
    assert.deepEqual(await client.bytes(2), hex("01 01"));
    assert.equal(member.changes.length, 1);
    for (const other of [
      join(3, "", "127.0.0.1:1112"),
      join(3, "node2", "nowhere"),
      join(3, "node2", ":1112"),
      join(3, Buffer.of(0xff), "127.0.0.1:1112"),
      Buffer.concat([Buffer.of(3), text("key"), get("key")]),
    ]) {
      const another = await connect();
      another.send(Buffer.concat([other, get("a")]));
      another.end();
      assert.deepEqual(await another.rest(), error, other.toString("hex"));
    }
    assert.equal(member.changes.length, 1);
  });

  it("answers a JOIN that cannot be, and goes on", async (t) => {
    const { connect, member } = await openStreamPort(t, "binary");
    const client = await connect();
    client.send(
      Buffer.concat([join(4, "", "a:1"), join(4, "node2", "nowhere"), join(4, "node2", "a:0"), get("a")]),
    );
    assert.deepEqual(await client.bytes(8), hex("02 02 02 03 00000000"));
    assert.deepEqual(member.changes, []);
    member.failure = new DkvError("memberExists", "it has another address");
    client.send(join(4, "node2", "a:1"));
    assert.deepEqual(await client.bytes(1), error);
  });

  it("overwrites, and answers in order what came at once, also where keys are the same", async (t) => {
    const { connect, member } = await openStreamPort(t, "binary");
    const client = await connect();
    const letGo = member.holdWrites();
    client.send(
      Buffer.concat([get("a"), set("a", "1"), set("a", "22"), get("a"), get("b"), set("a", "3"), get("a")]),
    );
    letGo();
    assert.deepEqual(
      await client.bytes(26),
      hex("03 00000000 01 01 01 02000000 3232 03 00000000 01 01 01000000 33"),
    );
  });

  it("carries any bytes, and values that are empty", async (t) => {
    const { connect } = await openStreamPort(t, "binary");
    const client = await connect();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const key = Buffer.concat([text(bytes)]);
    client.send(
      Buffer.concat([Buffer.of(1), key, text(bytes), number(0), Buffer.of(2), key, set("e", ""), get("e")]),
    );
    assert.deepEqual(
      await client.bytes(1 + 5 + 256 + 1 + 5),
      Buffer.concat([hex("01 01 00010000"), bytes, hex("01 01 00000000")]),
    );
  });

  it("has a time to live go through the log, and refuses one that is negative", async (t) => {
    const { connect, member } = await openStreamPort(t, "binary");
    const client = await connect();
    client.send(
      Buffer.concat([set("a", "1", 1), set("b", "1", 2 ** 31 - 1), set("c", "1", -1), set("c", "1", 0)]),
    );
    assert.deepEqual(await client.bytes(4), hex("01 01 02 01"));
    const grantedFor = (key: string): bigint | undefined =>
      member.leases.grantedTtl(member.get(Buffer.from(key))?.lease ?? 0n);
    assert.deepEqual([grantedFor("a"), grantedFor("b"), grantedFor("c")], [1n, 2n ** 31n - 1n, undefined]);
    const ids = [...(await member.leases.list())].sort((one, other) => (one < other ? -1 : 1));
    const value = {
      $typeName: "dkv.peer.v1.ExpireLeasesCommand",
      ids,
      term: 3n,
      applied: 2n ** 32n,
    } as const;
    await member.apply({ case: "expireLeases", value });
    client.send(Buffer.concat([get("a"), get("b"), get("c")]));
    assert.deepEqual(await client.bytes(16), hex("03 00000000 03 00000000 01 01000000 31"));
  });

  it("answers on every member", async (t) => {
    const { connect, member } = await openStreamPort(t, "binary");
    const client = await connect();
    member.leader = "two";
    client.send(Buffer.concat([set("a", "1"), get("a")]));
    assert.deepEqual(await client.bytes(7), hex("01 01 01000000 31"));
  });

  it("answers each command that fails, by its layout, and goes on", async (t) => {
    const { connect, member } = await openStreamPort(t, "binary");
    const client = await connect();
    member.failure = new DkvError("writeTimeout", "no quorum");
    client.send(Buffer.concat([set("a", "1"), get("a"), set("", "1"), get("")]));
    assert.deepEqual(await client.bytes(12), Buffer.concat([error, getError, error, getError]));
    member.failure = undefined;
    client.send(set("a", "1"));
    assert.deepEqual(await client.bytes(1), hex("01"));
  });

  it("ends where nobody knows what comes next, with a status", async (t) => {
    const { connect } = await openStreamPort(t, "binary", { maxRequestBytes: 1000 });
    for (const [name, bytes] of Object.entries(endless)) {
      const client = await connect();
      client.send(Buffer.concat([set("a", "1"), bytes]));
      assert.deepEqual(await client.rest(), hex("01 02"), name);
    }
  });

  it("carries values up to the limit, however they are parted", async (t) => {
    const { connect } = await openStreamPort(t, "binary");
    const client = await connect();
    const value = Buffer.alloc(1_572_864 - 1, 7);
    client.send(Buffer.concat([set("a", value), get("a")]));
    const answers = await client.bytes(6 + value.length);
    assert.ok(answers.equals(Buffer.concat([hex("01 01"), text(value)])));
    for (const byte of Buffer.concat([set("b", "12"), get("b")])) await client.sendApart(Buffer.of(byte));
    assert.deepEqual(await client.bytes(8), hex("01 01 02000000 3132"));
  });
});
