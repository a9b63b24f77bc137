import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DkvError } from "../../src/platform/errors.ts";
import { TextReader } from "../../src/api/text/request-reader.ts";
import { openStreamPort, type StreamClient } from "./stream-port.ts";

/** Sends it and gives the lines that answer it, having made sure that there are no more. */
async function ask(client: StreamClient, request: string, lines = 1): Promise<string> {
  client.send(request);
  const answer = await client.lines(lines);
  client.send("get no-such-key\r\n");
  assert.equal(await client.lines(1), "ERR_NOT_FOUND\r\n", `what follows the answer to ${request}`);
  return answer;
}

const versionIn = (answer: string): number =>
  Number(/^(?:OK|VALUE) (\d+)/.exec(answer)?.[1] ?? assert.fail(answer));

describe("the text protocol", () => {
  it("does not wait for what is longer than any command", () => {
    const kindOf = (bytes: string): string => new TextReader(1000).next(Buffer.from(bytes), 0).kind;
    const longest = `get ${"k".repeat(64 * 1024 - 4)}`;
    assert.deepEqual([kindOf(longest), kindOf(`${longest}k`)], ["part", "unreadable"]);
    for (const command of ["set k 0", "cas k 0 1"]) {
      const kinds = ["999", "1000", "4294967296", "99999999999999999999999999"].map((length) =>
        kindOf(`${command} ${length}\r\n`),
      );
      assert.deepEqual(kinds, ["part", "unreadable", "unreadable", "unreadable"]);
    }
  });

  it("answers with the bytes of the system that it comes from", async (t) => {
    const client = await (await openStreamPort(t, "text")).connect();
    const first = await ask(client, "set k1 0 5\r\nhello\r\n");
    const version = versionIn(first);
    assert.equal(first, `OK ${String(version)}\r\n`);
    assert.equal(await ask(client, "set k1 0 5\r\nhello\r\n"), "ERR_VERSION\r\n");
    assert.equal(await ask(client, "get k1\r\n", 2), "VALUE 5\r\nhello\r\n");
    assert.equal(await ask(client, "getm k1\r\n", 2), `VALUE ${String(version)} 0 5\r\nhello\r\n`);
    assert.equal(await ask(client, "cas k1 0 99999 3\r\nabc\r\n"), "ERR_VERSION\r\n");
    assert.equal(
      await ask(client, `cas k1 30 ${String(version)} 3\r\nabc\r\n`),
      `OK ${String(version + 1)}\r\n`,
    );
    assert.equal(await ask(client, "getm k1\r\n", 2), `VALUE ${String(version + 1)} 30 3\r\nabc\r\n`);
    assert.equal(await ask(client, "cas nokey 0 1 3\r\nabc\r\n"), "ERR_NOT_FOUND\r\n");
    for (const refused of ["set k2 0 0\r\n\r\n", "set k2 -1 3\r\nabc\r\n", "set k2 0 3 noreply\r\nabc\r\n"]) {
      assert.equal(await ask(client, refused), "ERR_CMD_ERR\r\n", refused);
    }
    assert.match(await ask(client, "set k2 0 3\r\nabcdef\r\n"), /^OK \d+\r\n$/);
    assert.equal(await ask(client, "get k2\r\n", 2), "VALUE 3\r\nabc\r\n");
    assert.match(await ask(client, "set nv 0 3\r\nxyz"), /^OK \d+\r\n$/);
    assert.equal(await ask(client, "delete k2\r\n"), "DELETED\r\n");
    assert.equal(await ask(client, "delete k2\r\n"), "ERR_NOT_FOUND\r\n");
    for (const mistaken of [
      "GET k1\r\n",
      "get\r\n",
      "get a b\r\n",
      "quit\r\n",
      "set\r\n",
      "cas k 0 1 3 x\r\n",
    ]) {
      assert.equal(await ask(client, mistaken), "ERR_CMD_ERR\r\n", mistaken);
    }
  });

  it("takes fields as they are written by any client", async (t) => {
    const client = await (await openStreamPort(t, "text")).connect();
    assert.match(await ask(client, "  set\t a\v +0 \f 0003 \r\nabc\r\n"), /^OK/);
    assert.equal(await ask(client, "get a\n", 2), "VALUE 3\r\nabc\r\n");
    assert.match(await ask(client, "set \xff\x01 0 1\n\x00"), /^OK/);
    assert.equal(await ask(client, "get \xff\x01\r\n", 2), "VALUE 1\r\n\x00\r\n");
    assert.equal(await ask(client, "cas a 0 -1 3\r\nabc\r\n"), "ERR_VERSION\r\n");
    assert.equal(await ask(client, "cas a 0 9223372036854775807 3\r\nabc\r\n"), "ERR_VERSION\r\n");
    for (const number of ["9223372036854775808", "-9223372036854775809", "1.0", "0x1", "", "1e3"])
      assert.equal(await ask(client, `cas a 0 ${number} 3\r\nabc\r\n`), "ERR_CMD_ERR\r\n", number);
    for (const seconds of ["9000000001", "1.5", "-0", "99999999999999999999"])
      assert.equal(await ask(client, `set b ${seconds} 3\r\nabc\r\n`), "ERR_CMD_ERR\r\n", seconds);
    assert.match(await ask(client, "set b 9000000000 3\r\nabc\r\n"), /^OK/);
  });

  it("answers all that came at once, in order, also where keys are the same", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    const client = await connect();
    const letGo = member.holdWrites();
    client.send(
      "set a 0 1\r\n1\r\nget a\r\nset a 0 1\r\n2\r\n\r\n\r\nset b 0 1\r\n3\r\nget b\r\nget b\r\ndelete a\r\nget a\r\n" +
        "nonsense\r\nset a 0 1\r\n4\r\nget a\r\n",
    );
    letGo();
    const answers = (await client.lines(15)).replaceAll(/OK \d+/g, "OK n");
    assert.equal(
      answers.replaceAll("\r\n", "|"),
      "OK n|VALUE 1|1|ERR_VERSION|OK n|VALUE 1|3|VALUE 1|3|" +
        "DELETED|ERR_NOT_FOUND|ERR_CMD_ERR|OK n|VALUE 1|4|",
    );
  });

  it("confirms reads that came together once", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    const client = await connect();
    client.send("get a\r\n".repeat(100));
    await client.lines(100);
    assert.ok(member.barriers <= 2, `${String(member.barriers)} confirmations`);
  });

  it("ignores the blank lines that clients send behind commands", async (t) => {
    const client = await (await openStreamPort(t, "text")).connect();
    assert.equal(await ask(client, "get x\r\n\r\n"), "ERR_NOT_FOUND\r\n");
    assert.match(await ask(client, "set x 0 1\r\n1\r\n\r\n\r\n"), /^OK/);
    assert.equal(await ask(client, "\r\n\n  \r\nget x\r\n", 2), "VALUE 1\r\n1\r\n");
  });

  it("understands the command behind a value without an end of line", async (t) => {
    const client = await (await openStreamPort(t, "text")).connect();
    assert.match(await ask(client, "set x 0 3\r\nabcget x\r\n", 3), /^OK \d+\r\nVALUE 3\r\nabc\r\n$/);
    assert.equal(await ask(client, "set x -1 3\r\nget x\r\n", 3), "ERR_CMD_ERR\r\nVALUE 3\r\nabc\r\n");
  });

  it("makes no difference how the bytes are parted", async (t) => {
    const client = await (await openStreamPort(t, "text")).connect();
    for (const byte of "set k 5 4\r\na\r\nb\r\nget k\r\ncas k 0 1 1\r\nx\r\n") await client.sendApart(byte);
    assert.match(await client.lines(5), /^OK \d+\r\nVALUE 4\r\na\r\nb\r\nERR_VERSION\r\n$/);
  });

  it("never gives a key a version again, and the same on every member", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    const client = await connect();
    const seen: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      let version = versionIn(await ask(client, "set k 0 1\r\n1\r\n"));
      seen.push(version);
      for (let change = 0; change < 3; change += 1) {
        const answer = await ask(client, `cas k 0 ${String(version)} 1\r\n2\r\n`);
        assert.equal(answer, `OK ${String(version + 1)}\r\n`);
        version += 1;
        seen.push(version);
      }
      const found = member.get(Buffer.from("k"));
      assert.equal(version, (found?.createRevision ?? 0) + (found?.version ?? 0) - 1, "of the state alone");
      assert.equal(await ask(client, "delete k\r\n"), "DELETED\r\n");
    }
    assert.equal(new Set(seen).size, seen.length, seen.join(" "));
    assert.equal(await ask(client, `cas k 0 ${String(seen[0])} 1\r\n1\r\n`), "ERR_NOT_FOUND\r\n");
  });

  it("has only one of several changes of the same version succeed", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    const clients = await Promise.all([connect(), connect(), connect()]);
    const [client] = clients;
    const version = versionIn(await ask(client, "set k 0 1\r\n1\r\n"));
    const letGo = member.holdWrites();
    const answers = clients.map(async (each) => {
      each.send(`cas k 0 ${String(version)} 1\r\n2\r\n`);
      return each.lines(1);
    });
    letGo();
    const [ok, ...others] = (await Promise.all(answers)).sort((one, other) => (one < other ? 1 : -1));
    assert.deepEqual(
      [ok, ...others],
      [`OK ${String(version + 1)}\r\n`, "ERR_VERSION\r\n", "ERR_VERSION\r\n"],
    );
  });

  it("says that a key is gone which was deleted while it was to be changed", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    const [client, other] = [await connect(), await connect()];
    const version = versionIn(await ask(client, "set k 0 1\r\n1\r\n"));
    const letGo = member.holdWrites();
    const { proposals } = member;
    other.send("delete k\r\n");
    while (member.proposals === proposals) await new Promise((resolve) => setImmediate(resolve));
    client.send(`cas k 0 ${String(version)} 1\r\n2\r\n`);
    while (member.proposals === proposals + 1) await new Promise((resolve) => setImmediate(resolve));
    letGo();
    assert.deepEqual([await other.lines(1), await client.lines(1)], ["DELETED\r\n", "ERR_NOT_FOUND\r\n"]);
  });

  it("has expiry go through the log, and cas begin it anew or end it", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    const client = await connect();
    const leases = () => member.leases.list();
    const expire = async (ids: readonly bigint[]): Promise<void> => {
      const times = { term: 3n, applied: 2n ** 32n };
      const value = { $typeName: "dkv.peer.v1.ExpireLeasesCommand" as const, ids: [...ids], ...times };
      await member.apply({ case: "expireLeases", value });
    };
    let version = versionIn(await ask(client, "set k 1 1\r\n1\r\n"));
    assert.equal(await ask(client, "getm k\r\n", 2), `VALUE ${String(version)} 1 1\r\n1\r\n`, "as given");
    const first = await leases();
    version = versionIn(await ask(client, `cas k 60 ${String(version)} 1\r\n2\r\n`));
    const second = (await leases()).filter((id) => !first.includes(id));
    await expire(first);
    assert.equal(await ask(client, "getm k\r\n", 2), `VALUE ${String(version)} 60 1\r\n2\r\n`, "begun anew");
    version = versionIn(await ask(client, `cas k 0 ${String(version)} 1\r\n3\r\n`));
    await expire(second);
    assert.equal(await ask(client, "getm k\r\n", 2), `VALUE ${String(version)} 0 1\r\n3\r\n`, "ended");
    await ask(client, "set gone 5 1\r\n1\r\n");
    await expire(await leases());
    assert.equal(await ask(client, "get gone\r\n"), "ERR_NOT_FOUND\r\n");
    assert.match(await ask(client, "set gone 0 1\r\n1\r\n"), /^OK/, "what has expired can be set");
  });

  it("names the leader where another member leads, and goes on", async (t) => {
    const { connect, member } = await openStreamPort(t, "text");
    const client = await connect();
    member.leader = "3";
    client.send("get a\r\nset a 0 1\r\n1\r\ndelete a\r\n");
    assert.equal(await client.lines(3), "REDIRECT 3\r\n".repeat(3));
    assert.equal(member.proposals, 0);
    member.leader = "a b\r\n";
    client.send("get a\r\nnonsense\r\n");
    assert.equal(await client.lines(2), "REDIRECT a%20b%0D%0A\r\nERR_CMD_ERR\r\n");
    member.leader = "one";
    assert.match(await ask(client, "set a 0 1\r\n1\r\n"), /^OK/);
  });

  it("serves commands where another member leads, if that is asked for", async (t) => {
    const { connect, member } = await openStreamPort(t, "text", { isForwarded: true });
    const client = await connect();
    member.leader = "3";
    assert.match(await ask(client, "set a 0 1\r\n1\r\n"), /^OK/);
    assert.equal(await ask(client, "get a\r\n", 2), "VALUE 1\r\n1\r\n");
  });

  it("tells why it cannot serve in one word, whatever the reason", async (t) => {
    const { connect, member, log } = await openStreamPort(t, "text");
    const client = await connect();
    member.failure = new DkvError("diskFull", "the disk is full");
    client.send("set a 0 1\r\n1\r\ncas a 0 1 1\r\n1\r\nget a\r\n");
    assert.equal(await client.lines(3), "ERR_INTERNAL\r\n".repeat(3));
    assert.deepEqual(log, []);
    member.failure = new Error("a mistake of ours");
    client.send("delete a\r\n");
    assert.equal(await client.lines(1), "ERR_INTERNAL\r\n");
    assert.match(log.join(), /a mistake of ours/);
    member.failure = undefined;
    assert.match(await ask(client, "set a 0 1\r\n1\r\n"), /^OK/);
  });

  it("carries values up to the limit, and ends where it would have to take more", async (t) => {
    const maxRequestBytes = 300_000;
    const { connect } = await openStreamPort(t, "text", { maxRequestBytes });
    const client = await connect();
    const value = "\r\nset x 0 1\r\n".repeat(maxRequestBytes / 13).padEnd(maxRequestBytes - 1, "x");
    assert.match(await ask(client, `set k 0 ${String(value.length)}\r\n${value}\r\n`), /^OK/);
    client.send("get k\r\n");
    assert.equal(await client.lines(1), `VALUE ${String(value.length)}\r\n`);
    assert.equal((await client.bytes(value.length + 2)).toString("latin1"), `${value}\r\n`);
    client.send(`get x\r\nset k 0 ${String(value.length + 1)}\r\n${value}`);
    assert.equal((await client.rest()).toString(), "ERR_NOT_FOUND\r\nERR_CMD_ERR\r\n");
    for (const length of ["4294967296", "99999999999999999999999999"]) {
      const another = await connect();
      another.send(`set k 0 ${length}\r\n`);
      assert.equal((await another.rest()).toString(), "ERR_CMD_ERR\r\n");
    }
  });

  it("ends at a line that is too long, and has not kept it", async (t) => {
    const { connect } = await openStreamPort(t, "text");
    const longest = `get ${"k".repeat(64 * 1024 - 4)}`;
    const client = await connect();
    assert.equal(await ask(client, `${longest}\n`), "ERR_NOT_FOUND\r\n");
    client.send(`${longest}k`);
    assert.equal((await client.rest()).toString(), "ERR_INTERNAL\r\n");
    const flooding = await connect();
    for (let piece = 0; piece < 50; piece += 1) flooding.send(Buffer.alloc(100_000, 0x20));
    assert.equal((await flooding.rest()).toString(), "ERR_INTERNAL\r\n");
  });
});
