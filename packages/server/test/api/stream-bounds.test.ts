/** What connections of the text and the binary protocol take of a member, also of one that is slow to answer. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { plainSet } from "@dkv/store";
import {
  eventually,
  moment,
  openStreamPort,
  type StreamClient,
  type StreamPort,
  type StreamPortOptions,
} from "./stream-port.ts";

const large = 1_000_000;
const gets = 50;

/** What is in use, garbage aside. */
function bytesInBuffers(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().arrayBuffers;
}

/** What does not come for seconds is not waited for until the clock says that clients are late. */
const soon = (line: Promise<string>): Promise<string> =>
  Promise.race([line, new Promise<string>((resolve) => setTimeout(resolve, 5000, "nothing"))]);

interface Stalled extends StreamPort {
  readonly client: StreamClient;
}

/** A client has asked for more than its socket holds, and for something more, and takes nothing. */
async function stalled(t: TestContext, more: string, options?: StreamPortOptions): Promise<Stalled> {
  const port = await openStreamPort(t, "text", options);
  await port.member.apply({ case: "set", value: plainSet(Buffer.from("a"), Buffer.alloc(large, "x")) });
  return { ...port, client: await stall(port, more) };
}

async function stall({ connect, member }: StreamPort, more: string): Promise<StreamClient> {
  const client = await connect();
  client.socket.pause();
  const { reads } = member;
  client.send("get a\r\n".repeat(gets) + more);
  await eventually(() => member.reads > reads);
  await moment();
  return client;
}

/** All values that it has asked for. */
async function takeValues(client: StreamClient): Promise<void> {
  client.socket.resume();
  for (let value = 0; value < gets; value += 1) {
    assert.equal(await client.lines(1), `VALUE ${String(large)}\r\n`);
    await client.bytes(large + 2);
  }
}

describe("a connection whose first command is slow", () => {
  it("is not read further than so many bytes, though all behind it is done", async (t) => {
    const { connect, member } = await openStreamPort(t, "text", { limits: { commandBytes: 3000 } });
    const client = await connect();
    const letGo = member.holdWrites();
    client.send("set slow 0 1\r\n1\r\n");
    await eventually(() => member.proposals === 1);
    // Those that come from now on are not held.
    member.holdWrites()();
    for (let at = 0; at < 20; at += 1) client.send(`set k${String(at)} 0 1000\r\n${"x".repeat(1000)}\r\n`);
    await eventually(() => member.proposals >= 4);
    await moment();
    assert.equal(member.proposals, 4);
    letGo();
    assert.match(await client.lines(21), /^(OK \d+\r\n){21}$/);
  });

  it("is charged with what stands between commands in one piece of memory", async (t) => {
    const { connect, member } = await openStreamPort(t, "text", { limits: { commandBytes: 30_000 } });
    const client = await connect();
    const letGo = member.holdWrites();
    for (let at = 0; at < 8; at += 1) {
      await client.sendApart(`${"\n".repeat(10_000)}set k${String(at)} 0 1\r\n1\r\n`);
    }
    await eventually(() => member.proposals >= 3);
    await moment();
    assert.equal(member.proposals, 3);
    letGo();
    assert.match(await client.lines(8), /^(OK \d+\r\n){8}$/);
  });
});

describe("a large command", () => {
  it("is not in memory any more when it is answered, though a small one that came with it waits", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    await member.apply({ case: "set", value: plainSet(Buffer.from("a"), Buffer.from("v")) });
    const before = bytesInBuffers();
    const letGo = member.holdWrites();
    const count = 20;
    for (let at = 0; at < count; at += 1) {
      const client = await connect();
      const held = `set k${String(at)} 0 1\r\n1\r\n`;
      // Refused before it is written: that is not held.
      client.send(`cas a 0 1 ${String(large)}\r\n${"x".repeat(large)}\r\n${held}`);
      assert.equal(await client.lines(1), "ERR_VERSION\r\n");
      await eventually(() => member.proposals === at + 1);
    }
    let keptBytes = bytesInBuffers() - before;
    // What was found to be garbage is swept by other threads.
    for (let look = 0; look < 30 && keptBytes >= (count * large) / 4; look += 1) {
      await moment();
      keptBytes = bytesInBuffers() - before;
    }
    letGo();
    assert.ok(keptBytes < (count * large) / 4, `${String(keptBytes)} bytes are kept`);
  });
});

describe("a client that takes no answers", () => {
  it("has the whole of a large command charged that came meanwhile, and done when it takes them", async (t) => {
    const begun = `set b 0 100000\r\n${"x".repeat(1000)}`;
    const { client, connect } = await stalled(t, begun, { roomBytes: { requests: 150_000 } });
    await client.sendApart("x".repeat(99_000));
    await moment();
    const other = await connect();
    other.send(`set c 0 100000\r\n${"x".repeat(100_000)}`);
    assert.equal(await other.lines(1), "ERR_INTERNAL\r\n");
    await takeValues(client);
    assert.match(await client.lines(1), /^OK/);
  });

  it("keeps nobody from what is done, and from values only for seconds", async (t) => {
    const { connect, clock, member } = await stalled(t, "", { roomBytes: { answers: 100_000 } });
    const other = await connect();
    const { reads, barriers } = member;
    other.send("set b 0 1\r\n1\r\nget nothing\r\n");
    assert.match(await soon(other.lines(1)), /^OK/);
    await eventually(() => member.barriers > barriers);
    await moment();
    assert.equal(member.reads, reads, "no value is read");
    clock.push(6000);
    clock.push(1000);
    assert.equal(await soon(other.lines(1)), "ERR_NOT_FOUND\r\n");
  });

  it("is cut off soon if it leaves little room to others", async (t) => {
    const begun = `set b 0 95000\r\n${"x".repeat(94_000)}`;
    const { clock, connect } = await stalled(t, begun, { roomBytes: { requests: 100_000 } });
    const other = await connect();
    const set = `set c 0 60000\r\n${"x".repeat(60_000)}`;
    clock.push(4000);
    other.send(set);
    assert.equal(await other.lines(1), "ERR_INTERNAL\r\n");
    clock.push(2000);
    const next = await connect();
    next.send(set);
    assert.match(await next.lines(1), /^OK/);
  });

  it("is not late with the rest of a command that nobody has looked at", async (t) => {
    const { client, clock } = await stalled(t, "set b 0 100000\r\nx", {
      limits: { answerTimeoutMs: 3_600_000 },
    });
    await client.sendApart("x".repeat(99_999));
    await moment();
    clock.push(61_000);
    await takeValues(client);
    assert.match(await client.lines(1), /^OK/);
  });

  it("leaves all room to others when it goes, also that of a read which nobody has confirmed", async (t) => {
    const port = await openStreamPort(t, "text", { roomBytes: { requests: 100_000 } });
    const { member } = port;
    await member.apply({ case: "set", value: plainSet(Buffer.from("a"), Buffer.alloc(large, "x")) });
    for (let round = 0; round < 4; round += 1) {
      const letGo = member.holdWrites();
      const key = String(round).repeat(20_000);
      const client = await stall(port, `set ${key} 0 1\r\n1\r\nget ${key}\r\n`);
      letGo();
      await eventually(() => member.store.get(Buffer.from(key)) !== undefined);
      client.socket.resetAndDestroy();
      await moment();
    }
    const client = await port.connect();
    client.send(`set b 0 60000\r\n${"x".repeat(60_000)}`);
    assert.match(await client.lines(1), /^OK/);
  });

  it("has nothing done that waits behind its reads when it goes", async (t) => {
    const { client, connect, member } = await stalled(t, "delete a\r\n");
    client.socket.resetAndDestroy();
    await moment();
    const other = await connect();
    other.send("get a\r\n");
    assert.equal(await other.lines(1), `VALUE ${String(large)}\r\n`);
    assert.equal(member.proposals, 0);
  });
});
