import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { describe, it, type TestContext } from "node:test";
import { DkvError } from "../../src/platform/errors.ts";
import { type ClientPort, openClientPort, type PortOptions } from "./client-port.ts";
import { connectHttp2, rawCall } from "./raw-http2.ts";

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

interface QueryPort extends ClientPort {
  readonly ask: (target: string, init?: RequestInit) => Promise<Answer>;
  /** Bodies of answers whose status is 200. */
  readonly said: (target: string) => Promise<string>;
}

async function open(t: TestContext, options: PortOptions = {}): Promise<QueryPort> {
  const port = await openClientPort(t, { ...options, queryInterface: true });
  const ask = async (target: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(port.url + target, init);
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      body: Buffer.from(await response.arrayBuffer()).toString("latin1"),
    };
  };
  const said = async (target: string): Promise<string> => {
    const { status, body } = await ask(target);
    assert.equal(status, 200, target);
    return body;
  };
  return { ...port, ask, said };
}

const text = "text/plain; charset=utf-8";

describe("the query interface", () => {
  it("is not there unless it is asked for", async (t) => {
    const { url, member } = await openClientPort(t);
    for (const path of ["/get?key=k", "/set?key=k&value=v", "/delete?key=k", "/join", "/leave"]) {
      const answer = await fetch(url + path);
      assert.equal(answer.status, 404);
      assert.match(await answer.text(), /^nothing is served at this path: .*--query-interface\n$/);
    }
    assert.equal(member.proposals, 0);
  });

  it("sets, gets and deletes, with any method", async (t) => {
    const { ask } = await open(t);
    for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS"]) {
      assert.deepEqual(await ask(`/set?key=k&value=by-${method}`, { method }), {
        status: 200,
        type: text,
        body: "ok\n",
      });
      assert.deepEqual(await ask("/get?key=k", { method }), {
        status: 200,
        type: text,
        body: `by-${method}\n`,
      });
      assert.equal((await ask("/delete?key=k", { method })).body, "ok\n");
      assert.equal((await ask("/get?key=k", { method })).body, "\n");
    }
    const head = await ask("/set?key=k&value=by-HEAD", { method: "HEAD" });
    assert.deepEqual(head, { status: 200, type: text, body: "" });
    assert.equal((await ask("/get?key=k")).body, "by-HEAD\n");
  });

  it("reads no bodies, and of parameters that come twice the first", async (t) => {
    const { ask, said } = await open(t);
    const init = { method: "POST", body: "key=k&value=in-the-body" };
    assert.equal((await ask("/set", init)).body, "param error\n");
    assert.equal(await said("/set?key=k&value=1&value=2&key=other"), "ok\n");
    assert.equal(await said("/get?key=k&key=other"), "1\n");
  });

  it("carries every byte, in keys and in values", async (t) => {
    const { ask } = await open(t);
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const escaped = [...all].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    assert.equal((await ask(`/set?key=${escaped}&value=${escaped}`)).body, "ok\n");
    assert.deepEqual(await ask(`/get?key=${escaped.toUpperCase()}`), {
      status: 200,
      type: "application/octet-stream",
      body: `${all.toString("latin1")}\n`,
    });
    assert.equal((await ask("/set?key=k&value=a+b%2Bc=d?e;f")).body, "ok\n");
    assert.equal((await ask("/get?key=k")).body, "a b+c=d?e;f\n");
  });

  it("takes bytes above 127 as they come by HTTP/2; HTTP/1.1 wants them escaped and says 400", async (t) => {
    const { url, port, said } = await open(t);
    const session = await connectHttp2(url);
    t.after(() => {
      session.destroy();
    });
    const path = Buffer.from("/set?key=k&value=grün").toString("latin1");
    await rawCall(session, { ":method": "GET", ":path": path }, []);
    assert.equal(await said("/get?key=k"), Buffer.from("grün\n").toString("latin1"));
    const socket = net.connect(port, "127.0.0.1");
    socket.write(Buffer.from("GET /set?key=k&value=blü HTTP/1.1\r\nHost: a\r\n\r\n"));
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    assert.match(answer.toString(), /^HTTP\/1\.1 400 /);
  });

  it("answers what it cannot do in the words of the older system", async (t) => {
    const { ask, said, member } = await open(t, { maxRequestBytes: 100 });
    for (const query of ["", "?key=", "?key=%zz", "?nothing=1"])
      assert.deepEqual(await ask(`/get${query}`), { status: 200, type: null, body: "" });
    const long = "x".repeat(100);
    for (const query of [
      "",
      "?key=k",
      "?value=v",
      "?key=&value=v",
      "?key=k&value=",
      "?key=k&value=%",
      "?key=k&value=v&ttl=-1",
      "?key=k&value=v&ttl=soon",
      "?key=k&value=v&ttl=9999999999999",
      "?key=k&value=v&consistency=strong",
      `?key=k&value=${long}`,
    ])
      assert.equal(await said(`/set${query}`), "param error\n", query);
    assert.equal(await said("/get?key=k&consistency=strong"), "param error\n");
    assert.equal(await said("/delete"), "param error\n");
    assert.equal(await said("/delete?key=missing"), "ok\n");
    for (const path of ["/join", "/join?peerAddress=", "/join?peerAddress=localhost", "/leave"])
      assert.equal(await said(path), "invalid peerAddress\n", path);
    for (const [failure, words] of [
      [new DkvError("noLeader", "no leader"), "write method not allowed\n"],
      [new DkvError("notLeader", "not the leader"), "write method not allowed\n"],
      [new DkvError("outcomeUnknown", "nobody knows"), "internal error\n"],
      [new DkvError("overloaded", "too much"), "internal error\n"],
      [new Error("a bug"), "internal error\n"],
    ] as const) {
      member.failure = failure;
      assert.equal(await said("/set?key=k&value=v"), words);
      assert.equal(await said("/delete?key=k"), words);
      assert.equal(await said("/get?key=k"), "internal error\n");
      assert.equal(await said("/join?peerAddress=localhost:7001"), "internal error\n");
      assert.equal(await said("/leave?node=n"), "internal error\n");
    }
  });

  it("says with strict=1 by the status what happened, and why", async (t) => {
    const { ask, member } = await open(t, { maxRequestBytes: 100 });
    const strictly = async (path: string, status: number, body: RegExp): Promise<void> => {
      const answer = await ask(`${path}strict=1`);
      assert.equal(answer.status, status, path);
      assert.match(answer.body, body);
    };
    await strictly("/set?key=k&value=v&", 200, /^ok\n$/);
    await strictly("/get?key=k&", 200, /^v\n$/);
    await strictly("/get?key=missing&", 404, /^key not found\n$/);
    await strictly("/delete?key=missing&", 404, /^key not found\n$/);
    await strictly("/delete?key=k&", 200, /^ok\n$/);
    await strictly("/get?", 400, /^key is empty/);
    await strictly("/set?key=k&", 400, /^value is empty/);
    await strictly("/set?key=k&value=v&ttl=x&", 400, /^ttl is "x": write whole seconds/);
    await strictly("/get?key=k&consistency=x&", 400, /linearizable or serializable/);
    await strictly(`/set?key=k&value=${"x".repeat(100)}&`, 400, /too large/);
    await strictly("/join?", 400, /^address is empty: write HOST:PORT/);
    await strictly("/join?peerAddress=localhost:1&node=a,b&", 400, /^node is "a,b"/);
    for (const path of ["/leave?", "/leave?peerAddress=&"])
      await strictly(path, 400, /^nobody is named: write node=NAME, or peerAddress=HOST:PORT\n$/);
    member.failure = new DkvError("noLeader", "there is no leader");
    await strictly("/set?key=k&value=v&", 503, /^there is no leader\n$/);
    member.failure = new DkvError("memberExists", "that one is there");
    await strictly("/join?peerAddress=localhost:1&", 409, /^that one is there\n$/);
    member.failure = new DkvError("unknownMember", "no member is called x; there are one");
    await strictly("/leave?node=x&", 404, /^no member is called x/);
    assert.equal((await ask("/leave?node=x")).body, "internal error\n");
    member.failure = new Error("a bug");
    await strictly("/get?key=k&", 500, /^internal error: the log of this member says more\n$/);
  });

  it("reads what is current unless it is told that any state will do", async (t) => {
    const { said, member } = await open(t);
    await said("/set?key=k&value=v");
    assert.equal(await said("/get?key=k"), "v\n");
    assert.equal(await said("/get?key=k&consistency=linearizable"), "v\n");
    assert.equal(member.barriers, 2);
    member.failure = new DkvError("readTimeout", "no majority");
    assert.equal(await said("/get?key=k&consistency=serializable"), "v\n");
    assert.equal(await said("/get?key=k"), "internal error\n");
  });

  it("sets for a time", async (t) => {
    const { said, member } = await open(t);
    const key = Buffer.from("k");
    for (const seconds of [1n, 60n]) {
      await said(`/set?key=k&value=v&ttl=${String(seconds)}`);
      const lease = member.get(key)?.lease ?? 0n;
      assert.equal(member.store.lease(lease)?.grantedTtl, seconds);
    }
    await said("/set?key=k&value=v&ttl=0");
    assert.equal(member.get(key)?.lease, 0n);
  });

  it("joins and leaves, a member without a name under its address", async (t) => {
    const { said, member } = await open(t);
    assert.equal(await said("/join?peerAddress=127.0.0.1:7001"), "ok");
    assert.equal(await said("/join?peerAddress=127.0.0.1%3A7002&node=two"), "ok");
    assert.equal(await said("/leave?peerAddress=127.0.0.1:7001"), "ok");
    assert.equal(await said("/leave?node=two"), "ok");
    assert.deepEqual(member.changes, [
      { kind: "join", name: "127.0.0.1:7001", peerAddress: "127.0.0.1:7001" },
      { kind: "join", name: "two", peerAddress: "127.0.0.1:7002" },
      { kind: "leave", name: "127.0.0.1:7001" },
      { kind: "leave", name: "two" },
    ]);
    const [itself] = await member.members();
    assert.ok(itself !== undefined);
    member.others = [{ ...itself, name: "three", peerAddress: "localhost:7003", isLeader: false }];
    assert.equal(await said("/leave?peerAddress=localhost:7003"), "ok");
    assert.deepEqual(member.changes.at(-1), { kind: "leave", name: "three" });
  });
});
