/** Clients of the text and the binary protocol that do not behave, and members that cannot answer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import tls from "node:tls";
import { makeCertificates } from "@dkv/certificates";
import { eventually, moment, openStreamPort, StreamClient } from "./stream-port.ts";

const binarySet = (key: string): Buffer => Buffer.from(`\x01\x01\0\0\0${key}\x01\0\0\0v\0\0\0\0`, "latin1");

describe("a client that ends its side", () => {
  it("gets the answers to all it has sent, and then the end", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    const client = await connect();
    const letGo = member.holdWrites();
    client.send("set a 0 1\r\n1\r\nget a\r\n");
    client.end();
    await eventually(() => member.proposals === 1);
    letGo();
    assert.match((await client.rest()).toString(), /^OK \d+\r\nVALUE 1\r\n1\r\n$/);
  });

  it("gets an answer to a last line without its end where that only reads", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    for (const [sent, answer] of [
      ["get a", "ERR_NOT_FOUND\r\n"],
      ["getm a\r", "ERR_NOT_FOUND\r\n"],
      ["delete a", "ERR_CMD_ERR\r\n"],
      ["set a 0 5\r\nab", "ERR_CMD_ERR\r\n"],
      ["set a 0", "ERR_CMD_ERR\r\n"],
      ["nonsense", "ERR_CMD_ERR\r\n"],
      ["get a\r\n  ", "ERR_NOT_FOUND\r\n"],
      ["", ""],
    ]) {
      const client = await connect();
      client.send(sent ?? "");
      client.end();
      assert.equal((await client.rest()).toString(), answer, sent);
    }
    assert.equal(member.proposals, 0);
  });

  it("gets a status for what it did not finish", async (t) => {
    const { connect, member } = await openStreamPort(t, "binary");
    const client = await connect();
    client.send(Buffer.concat([binarySet("a"), binarySet("b").subarray(0, 9)]));
    client.end();
    assert.deepEqual(await client.rest(), Buffer.of(1, 2));
    assert.equal(member.proposals, 1);
  });
});

describe("a client that goes away", () => {
  it("takes nobody with it, in the middle of a value or of its answers", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    const client = await connect();
    const letGo = member.holdWrites();
    client.send("set a 0 1\r\n1\r\nset a 0 1\r\n2\r\nget a\r\nset b 0 100\r\nhalf of it");
    await eventually(() => member.proposals === 1);
    client.socket.resetAndDestroy();
    const other = await connect();
    other.send("get b\r\n");
    assert.equal(await other.lines(1), "ERR_NOT_FOUND\r\n");
    letGo();
    other.send("get a\r\n");
    assert.equal(await other.lines(2), "VALUE 1\r\n1\r\n", "what was under way was done");
    assert.equal(member.proposals, 1, "what had not begun was not");
  });

  it("leaves the room that it had to others", async (t) => {
    const port = await openStreamPort(t, "text", { roomBytes: { requests: 100_000 } });
    for (let round = 0; round < 5; round += 1) {
      const client = await port.connect();
      client.send(`get a\r\nset a 0 100000\r\n${"x".repeat(50_000)}`);
      await client.lines(1);
      client.socket.resetAndDestroy();
    }
    const client = await port.connect();
    client.send(`set a 0 60000\r\n${"x".repeat(60_000)}`);
    assert.match(await client.lines(1), /^OK/);
  });
});

describe("a client that sends much", () => {
  it("is not read further than so many commands", async (t) => {
    const { connect, member } = await openStreamPort(t, "binary", { limits: { commands: 64 } });
    const client = await connect();
    const letGo = member.holdWrites();
    const keys = Array.from({ length: 2000 }, (_, at) => String.fromCharCode(at % 256));
    client.send(Buffer.concat(keys.map(binarySet)));
    await eventually(() => member.proposals >= 64);
    await moment();
    assert.equal(member.proposals, 64);
    letGo();
    assert.deepEqual(await client.bytes(2000), Buffer.alloc(2000, 1));
  });

  it("is not read further than so many bytes", async (t) => {
    const { connect, member } = await openStreamPort(t, "text", { limits: { commandBytes: 3000 } });
    const client = await connect();
    const letGo = member.holdWrites();
    for (let at = 0; at < 20; at += 1) client.send(`set k${String(at)} 0 1000\r\n${"x".repeat(1000)}\r\n`);
    await eventually(() => member.proposals >= 3);
    await moment();
    assert.equal(member.proposals, 3);
    letGo();
    assert.match(await client.lines(20), /^(OK \d+\r\n){20}$/);
  });

  it("is told that there is no room, if all together have sent too much", async (t) => {
    const port = await openStreamPort(t, "text", { roomBytes: { requests: 100_000 } });
    const greedy = await port.connect();
    greedy.send(`get a\r\nset a 0 100000\r\n${"x".repeat(90_000)}`);
    await greedy.lines(1);
    const large = await port.connect();
    large.send(`set b 0 80000\r\n${"x".repeat(80_000)}\r\n`);
    assert.equal(await large.lines(1), "ERR_INTERNAL\r\n");
    large.send("get a\r\n");
    large.end();
    assert.equal((await large.rest()).length, 0, "its connection has ended");
    const small = await port.connect();
    small.send("set c 0 1\r\n1\r\n");
    assert.match(await small.lines(1), /^OK/);
  });

  it("has no room for what it only promises, and none for what is done", async (t) => {
    const port = await openStreamPort(t, "text", { roomBytes: { requests: 100_000 } });
    const clients = await Promise.all(Array.from({ length: 5 }, () => port.connect()));
    for (const [at, client] of clients.entries()) {
      client.send(`get a\r\nset k${String(at)} 0 90000\r\nxxx`);
      assert.equal(await client.lines(1), "ERR_NOT_FOUND\r\n");
    }
    for (const client of clients) {
      client.send("x".repeat(90_000 - 3));
      assert.match(await client.lines(1), /^OK/);
    }
  });

  it("has the rest of a command in time, or its connection ends without it", async (t) => {
    const { connect, clock, member } = await openStreamPort(t, "text");
    const [slow, idle] = [await connect(), await connect()];
    await slow.sendApart("get a\r\ndelete a");
    await slow.lines(1);
    clock.push(59_000);
    await slow.sendApart("b");
    clock.push(2000);
    slow.send("\r\n");
    assert.equal(await slow.lines(1), "ERR_INTERNAL\r\n");
    assert.equal((await slow.rest()).length, 0);
    assert.equal(member.proposals, 0);
    clock.push(3_600_000);
    idle.send("get a\r\n");
    assert.equal(await idle.lines(1), "ERR_NOT_FOUND\r\n", "who says nothing may stay");
  });
});

describe("a client that takes no answers", () => {
  const large = 1_000_000;

  it("costs little memory, and gets all of them when it does", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    const client = await connect();
    client.send(`set a 0 ${String(large)}\r\n${"x".repeat(large)}\r\n`);
    await client.lines(1);
    client.socket.pause();
    const count = 60;
    client.send("get a\r\n".repeat(count));
    await eventually(() => member.reads > 0);
    await moment();
    assert.ok(member.reads < 20, `${String(member.reads)} values were read`);
    client.socket.resume();
    for (let answer = 0; answer < count; answer += 1) {
      assert.equal(await client.lines(1), `VALUE ${String(large)}\r\n`);
      assert.equal((await client.bytes(large + 2)).length, large + 2);
    }
  });

  it("is cut off after a minute", async (t) => {
    const { connect, clock, member } = await openStreamPort(t, "text");
    const client = await connect();
    client.send(`set a 0 ${String(large)}\r\n${"x".repeat(large)}\r\n`);
    await client.lines(1);
    client.socket.pause();
    client.send("get a\r\n".repeat(50));
    await eventually(() => member.reads > 0);
    await moment();
    const { reads } = member;
    clock.push(61_000);
    await moment();
    client.socket.resume();
    client.end();
    await client.rest();
    assert.equal(member.reads, reads, "nothing more was read for it");
  });
});

describe("while nobody leads", () => {
  it("each command is answered within a second, and no other member is named", async (t) => {
    for (const protocol of ["text", "binary"] as const) {
      const { connect, clock, member } = await openStreamPort(t, protocol);
      const client = await connect();
      const read = protocol === "text" ? "get a\r\n" : Buffer.from("\x02\x01\0\0\0a", "latin1");
      client.send(read);
      await client.bytes(protocol === "text" ? "ERR_NOT_FOUND\r\n".length : 5);
      member.leader = "";
      const command = protocol === "text" ? "set a 0 1\r\n1\r\nget a\r\n" : binarySet("a");
      const answer = protocol === "text" ? "ERR_INTERNAL\r\n".repeat(2) : "\x02";
      await client.sendApart(command);
      clock.push(0);
      clock.push(900);
      assert.equal((await client.bytes(answer.length)).toString("latin1"), answer);
      client.send(command);
      assert.equal((await client.bytes(answer.length)).toString("latin1"), answer, "at once");
      assert.equal(member.proposals, 0);
      member.leader = "one";
      client.send(command);
      assert.notEqual((await client.bytes(1)).toString("latin1"), answer.slice(0, 1));
    }
  });

  it("commands wait a little for an election to end, and are done then", async (t) => {
    const { connect, clock, member } = await openStreamPort(t, "text");
    const client = await connect();
    member.leader = "";
    await client.sendApart("get a\r\nset a 0 1\r\n1\r\nget a\r\n");
    clock.push(300);
    member.leader = "one";
    clock.push(100);
    assert.match(await client.lines(4), /^ERR_NOT_FOUND\r\nOK \d+\r\nVALUE 1\r\n1\r\n$/);
  });

  it("what comes behind a write of which nobody knows whether it is done waits until that is known", async (t) => {
    const { connect, clock, member } = await openStreamPort(t, "text");
    const client = await connect();
    const letGo = member.holdWrites();
    client.send("set a 0 1\r\n1\r\n");
    await eventually(() => member.proposals === 1);
    member.leader = "";
    clock.push(100);
    clock.push(800);
    assert.equal(await client.lines(1), "ERR_INTERNAL\r\n");
    member.leader = "one";
    // Those that come from now on are not held.
    member.holdWrites()();
    client.send("delete a\r\nget b\r\n");
    await eventually(() => member.barriers > 0);
    assert.equal(member.proposals, 1, "it would overtake the first one");
    letGo();
    assert.equal(await client.lines(2), "DELETED\r\nERR_NOT_FOUND\r\n");
  });

  it("those that were under way are not waited for, and their outcome comes to nobody", async (t) => {
    const { connect, clock, member } = await openStreamPort(t, "text");
    const client = await connect();
    const letGo = member.holdWrites();
    client.send("set a 0 1\r\n1\r\nset a 0 1\r\n2\r\nget b\r\n");
    await eventually(() => member.proposals === 1);
    member.leader = "";
    clock.push(100);
    clock.push(800);
    assert.equal(await client.lines(2), "ERR_INTERNAL\r\n".repeat(2));
    assert.equal(await client.lines(1), "ERR_NOT_FOUND\r\n");
    letGo();
    member.leader = "one";
    client.send("get a\r\n");
    assert.equal(await client.lines(2), "VALUE 1\r\n1\r\n");
    assert.equal(member.proposals, 1, "what was told to have failed is not done later");
  });
});

describe("a port that closes", () => {
  it("answers what it has taken, and nothing more", async (t) => {
    const { connect, member, close } = await openStreamPort(t, "text");
    const [client, idle] = [await connect(), await connect()];
    const letGo = member.holdWrites();
    client.send("set a 0 1\r\n1\r\n");
    await eventually(() => member.proposals === 1);
    const closed = close(60_000);
    assert.equal((await idle.rest()).length, 0);
    idle.end();
    client.send("get a\r\n");
    letGo();
    assert.match((await client.rest()).toString(), /^OK \d+\r\n$/);
    client.end();
    await closed;
  });
});

describe("the protocols over TLS", () => {
  it("are served with the certificates of the client port, to clients that have one if they need it", async (t) => {
    const directory = await mkdtemp(join(tmpdir(), "dkv-stream-tls-"));
    t.after(() => rm(directory, { recursive: true }));
    await makeCertificates({ directory, hosts: [] });
    const path = (name: string): string => join(directory, name);
    const paths = {
      certFile: path("server.pem"),
      keyFile: path("server-key.pem"),
      trustedCaFile: path("ca.pem"),
    };
    const ca = await readFile(path("ca.pem"));
    const credentials = {
      cert: await readFile(path("client.pem")),
      key: await readFile(path("client-key.pem")),
    };
    for (const [protocol, sent, answer] of [
      ["text", Buffer.from("set a 0 1\r\n1\r\nget a"), /^OK \d+\r\nVALUE 1\r\n1\r\n$/],
      [
        "binary",
        Buffer.concat([binarySet("a"), Buffer.from("\x02\x01\0\0\0a", "latin1")]),
        /^01010100000076$/,
      ],
    ] as const) {
      const { port } = await openStreamPort(t, protocol, { tls: paths });
      const options = { port, host: "127.0.0.1", ca, ...credentials, allowHalfOpen: true };
      const socket = tls.connect(options);
      await once(socket, "secureConnect");
      const client = new StreamClient(socket);
      client.send(sent);
      client.end();
      assert.match((await client.rest()).toString(protocol === "text" ? "latin1" : "hex"), answer);
      const stranger = tls.connect({ port, host: "127.0.0.1", ca });
      stranger.on("secureConnect", () => {
        stranger.write(sent);
      });
      stranger.on("data", () => assert.fail("a client without a certificate is served"));
      await once(stranger, "error");
    }
  });
});
