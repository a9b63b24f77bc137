import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { test, type TestContext } from "node:test";

import { Code } from "@connectrpc/connect";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { DkvClient, type DkvClientOptions } from "../src/client.ts";
import { DkvClientError, type ErrorCode, type Retry as ClientRetry } from "../src/errors.ts";
import { type Call, refusal, ScriptedMember, type ScriptedMemberOptions } from "./scripted-member.ts";

async function member(t: TestContext, options?: ScriptedMemberOptions): Promise<ScriptedMember> {
  const started = await ScriptedMember.start(options);
  t.after(() => started.stop());
  return started;
}

function client(t: TestContext, options: DkvClientOptions): DkvClient {
  const made = new DkvClient(options);
  t.after(() => {
    made.close();
  });
  return made;
}

/** An endpoint where nobody listens: the port was free a moment ago. */
async function deadEndpoint(): Promise<string> {
  const gone = await ScriptedMember.start();
  await gone.stop();
  return gone.endpoint;
}

async function fails(
  work: Promise<unknown>,
  expected: { code: ErrorCode; retry: ClientRetry; message?: RegExp },
): Promise<DkvClientError> {
  const error: unknown = await work.then(
    () => assert.fail("it succeeded"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DkvClientError, String(error));
  assert.deepEqual(
    { code: error.code, retry: error.retry },
    { code: expected.code, retry: expected.retry },
    error.message,
  );
  if (expected.message !== undefined) assert.match(error.message, expected.message);
  return error;
}

/** Does not answer as long as somebody waits. */
async function silence({ signal }: Call): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

test("sets, gets and deletes text and bytes, and says at which revision", async (t) => {
  const { endpoint } = await member(t);
  const dkv = client(t, { endpoints: [endpoint] });
  const { header } = await dkv.set("greeting", "grüß dich");
  assert.deepEqual(header, {
    clusterId: 0xffff_ffff_ffff_fff1n,
    memberId: 7n,
    leader: undefined,
    term: 2,
    appliedIndex: 12,
    revision: 9,
  });
  const found = await dkv.get("greeting");
  assert.equal(Buffer.from(found?.value ?? []).toString(), "grüß dich");
  assert.deepEqual([found?.createRevision, found?.modRevision, found?.version], [3, 5, 2]);
  const bytes = new Uint8Array([0, 255, 128, 10]);
  await dkv.set("bytes", bytes);
  await dkv.set("empty", "");
  assert.deepEqual(new Uint8Array((await dkv.get("bytes"))?.value ?? []), bytes);
  assert.equal((await dkv.get("empty"))?.value.length, 0);
  assert.equal((await dkv.delete("greeting")).deleted, true);
  assert.equal((await dkv.delete("greeting")).deleted, false);
});

test("a missing key is undefined", async (t) => {
  const { endpoint } = await member(t);
  assert.equal(await client(t, { endpoints: [endpoint] }).get("nobody"), undefined);
});

test("half of a surrogate pair is refused before anything is sent", async (t) => {
  const only = await member(t);
  const dkv = client(t, { endpoints: [only.endpoint] });
  await fails(dkv.set("\ud800", "x"), { code: "invalid_request", retry: "never" });
  await fails(dkv.set("x", "\udc00"), { code: "invalid_request", retry: "never" });
  assert.deepEqual(only.calls, []);
});

test("a refusal of the member keeps its code, its words and whether it may be repeated", async (t) => {
  const script = () => {
    throw refusal("request_too_large", Retry.NEVER, Code.InvalidArgument);
  };
  const { endpoint } = await member(t, { script });
  await fails(client(t, { endpoints: [endpoint] }).set("k", "v"), {
    code: "request_too_large",
    retry: "never",
    message: /^refused: request_too_large$/,
  });
});

test("a code of a newer member is unknown and, without a word on it, its outcome too", async (t) => {
  const script = () => {
    throw refusal("quota_of_the_future", Retry.UNSPECIFIED);
  };
  const only = await member(t, { script });
  await fails(client(t, { endpoints: [only.endpoint] }).set("k", "v"), {
    code: "unknown",
    retry: "outcomeUnknown",
  });
  assert.equal(only.methods.filter((method) => method === "set").length, 1);
});

test("the member is told how long the caller waits, a little less so that its own words arrive", async (t) => {
  const only = await member(t);
  await client(t, { endpoints: [only.endpoint], timeoutMs: 2000 }).get("k");
  const [call] = only.calls;
  assert.ok(
    call?.timeoutMs !== undefined && call.timeoutMs > 1500 && call.timeoutMs <= 1900,
    String(call?.timeoutMs),
  );
});

test("a write that is surely not applied is repeated until it succeeds", async (t) => {
  let refusals = 3;
  const only = await member(t, {
    script: ({ method }) => {
      if (method === "set" && (refusals -= 1) >= 0) throw refusal("no_leader", Retry.NOT_APPLIED);
    },
  });
  await client(t, { endpoints: [only.endpoint] }).set("k", "v");
  assert.equal(only.methods.filter((method) => method === "set").length, 4);
});

test("a write whose outcome is unknown is never repeated, on no endpoint", async (t) => {
  const script = ({ method }: Call): void => {
    if (method === "set") throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
  };
  const [one, two] = [await member(t, { script }), await member(t, { script })];
  await fails(client(t, { endpoints: [one.endpoint, two.endpoint] }).set("k", "v"), {
    code: "outcome_unknown",
    retry: "outcomeUnknown",
  });
  assert.equal([...one.methods, ...two.methods].filter((method) => method === "set").length, 1);
});

test("a write whose connection breaks before the answer has an unknown outcome and is not repeated", async (t) => {
  const other = await member(t);
  const broken = await member(t);
  broken.script = async (call) => {
    if (call.method !== "set") return;
    broken.cut();
    await silence(call);
  };
  const dkv = client(t, { endpoints: [broken.endpoint, other.endpoint] });
  await fails(dkv.set("k", "v"), {
    code: "connection_lost",
    retry: "outcomeUnknown",
    message: /broke before it answered/,
  });
  assert.deepEqual(other.calls, []);
});

test("a read is repeated elsewhere when its connection breaks", async (t) => {
  const [broken, healthy] = [await member(t), await member(t)];
  healthy.values.set("k", new Uint8Array([1]));
  broken.script = async (call) => {
    broken.cut();
    await silence(call);
  };
  const dkv = client(t, { endpoints: [broken.endpoint, healthy.endpoint] });
  assert.deepEqual([...((await dkv.get("k"))?.value ?? [])], [1]);
});

test("a member that refuses a stream has not looked at it: the write goes elsewhere", async (t) => {
  const { constants, createServer: createHttp2 } = await import("node:http2");
  const stopping = createHttp2();
  stopping.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
  });
  stopping.listen(0, "127.0.0.1");
  await once(stopping, "listening");
  t.after(() => stopping.close());
  const address = stopping.address();
  assert.ok(typeof address === "object" && address !== null);
  const healthy = await member(t);
  await client(t, { endpoints: [`localhost:${address.port}`, healthy.endpoint] }).set("k", "v");
  assert.equal(healthy.values.size, 1);
});

test("an endpoint that is down is passed over, for reads and writes", async (t) => {
  const healthy = await member(t);
  const dkv = client(t, { endpoints: [await deadEndpoint(), healthy.endpoint] });
  await dkv.set("k", "v");
  assert.equal(Buffer.from((await dkv.get("k"))?.value ?? []).toString(), "v");
});

test("a connection that broke while idle is made anew", async (t) => {
  const only = await member(t);
  const dkv = client(t, { endpoints: [only.endpoint] });
  await dkv.set("k", "1");
  only.cut();
  await setImmediate();
  await dkv.set("k", "2");
  assert.equal(Buffer.from(only.values.get("k") ?? []).toString(), "2");
});

test("a member that accepts connections and says nothing leaves time for the next", async (t) => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket));
  mute.listen(0, "127.0.0.1");
  await once(mute, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const address = mute.address();
  assert.ok(typeof address === "object" && address !== null);
  const healthy = await member(t);
  await client(t, { endpoints: [`127.0.0.1:${address.port}`, healthy.endpoint], timeoutMs: 600 }).set(
    "k",
    "v",
  );
  assert.equal(healthy.values.size, 1);
  const alone = client(t, { endpoints: [`127.0.0.1:${address.port}`], timeoutMs: 200 });
  await fails(alone.set("k", "v"), {
    code: "no_answer",
    retry: "notApplied",
    message: /no answer within 200ms/,
  });
});

test("nobody anywhere is said in one line, soon", async (t) => {
  const [one, two] = [await deadEndpoint(), await deadEndpoint()];
  const dkv = client(t, { endpoints: [one, two], timeoutMs: 30_000 });
  const { message } = await fails(dkv.set("k", "v"), { code: "connection_refused", retry: "notApplied" });
  assert.equal(message, `no member answers at ${one}, ${two}: connection refused; is dkv running there?`);
});

test("different reasons at different endpoints are listed", async (t) => {
  const dead = await deadEndpoint();
  const dkv = client(t, { endpoints: [dead, "nobody.invalid:1"] });
  await fails(dkv.get("k"), {
    code: "unreachable",
    retry: "notApplied",
    message: /connection refused; nobody\.invalid:1: /u,
  });
});

test("writes go to the leader by the address that the members tell", async (t) => {
  const [follower, leader] = [await member(t), await member(t)];
  follower.servers = [
    { id: "dkv-0", rpcAddress: follower.endpoint },
    { id: "dkv-1", rpcAddress: leader.endpoint, isLeader: true },
  ];
  follower.leader = leader.leader = "dkv-1";
  const dkv = client(t, { endpoints: [follower.endpoint] });
  await dkv.set("a", "1");
  await dkv.set("b", "2");
  assert.deepEqual(follower.methods, ["getServers"]);
  assert.deepEqual(leader.methods, ["set", "set"]);
});

test("an answer that names another leader makes the next write go there", async (t) => {
  const [one, two] = [await member(t), await member(t)];
  const servers = (leader: string) => [
    { id: "dkv-0", rpcAddress: one.endpoint, isLeader: leader === "dkv-0" },
    { id: "dkv-1", rpcAddress: two.endpoint, isLeader: leader === "dkv-1" },
  ];
  one.servers = servers("dkv-0");
  one.leader = "dkv-0";
  two.leader = "dkv-1";
  const dkv = client(t, { endpoints: [one.endpoint] });
  await dkv.set("a", "1");
  one.servers = servers("dkv-1");
  one.leader = "dkv-1";
  await dkv.set("b", "2");
  await dkv.set("c", "3");
  assert.deepEqual(one.methods, ["getServers", "set", "set", "getServers"]);
  assert.deepEqual(two.methods, ["set"]);
});

for (const rpcAddress of ["", "0.0.0.0:3000", ":3000", "[::]:3000", "nobody.invalid:3000", "rubbish"]) {
  test(`a leader at "${rpcAddress}" cannot be reached from here: the given endpoint takes the write`, async (t) => {
    const follower = await member(t);
    follower.servers = [{ id: "dkv-1", rpcAddress, isLeader: true }];
    follower.leader = "dkv-1";
    const dkv = client(t, { endpoints: [follower.endpoint] });
    await dkv.set("a", "1");
    await dkv.set("b", "2");
    assert.equal(follower.values.size, 2);
  });
}

test("when the leader goes away, writes go on through the endpoint that was given", async (t) => {
  const [follower, leader] = [await member(t), await ScriptedMember.start()];
  follower.servers = [{ id: "dkv-1", rpcAddress: leader.endpoint, isLeader: true }];
  follower.leader = leader.leader = "dkv-1";
  const dkv = client(t, { endpoints: [follower.endpoint] });
  await dkv.set("a", "1");
  await leader.stop();
  await dkv.set("b", "2");
  assert.deepEqual([...follower.values.keys()], ["b"]);
});

test("a write that gets no answer in time says that its outcome is unknown", async (t) => {
  const only = await member(t, {
    script: ({ method }) => (method === "set" ? new Promise(() => {}) : undefined),
  });
  const dkv = client(t, { endpoints: [only.endpoint], timeoutMs: 300 });
  await fails(dkv.set("k", "v"), {
    code: "deadline_exceeded",
    retry: "outcomeUnknown",
    message: /did not answer set within \d+ms; it may or may not/,
  });
});

test("a refusal that lasts until the timeout is what the caller hears", async (t) => {
  const script = ({ method }: Call): void => {
    if (method === "set") throw refusal("no_leader", Retry.NOT_APPLIED);
  };
  const { endpoint } = await member(t, { script });
  const dkv = client(t, { endpoints: [endpoint], timeoutMs: 300 });
  await fails(dkv.set("k", "v"), {
    code: "no_leader",
    retry: "notApplied",
    message: /^refused: no_leader \(tried for \d+ms\)$/,
  });
});

test("an aborted signal ends the wait and tells the member", async (t) => {
  const aborted = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const { endpoint } = await member(t, {
    script: async (call) => {
      if (call.method !== "set") return;
      arrived.resolve();
      await silence(call);
      aborted.resolve();
    },
  });
  const stop = new AbortController();
  const work = fails(client(t, { endpoints: [endpoint] }).set("k", "v", { signal: stop.signal }), {
    code: "canceled",
    retry: "outcomeUnknown",
  });
  await arrived.promise;
  stop.abort();
  await work;
  await aborted.promise;
  const before = client(t, { endpoints: [endpoint] }).set("k", "v", { signal: AbortSignal.abort() });
  await fails(before, { code: "canceled", retry: "notApplied" });
});

test("a closed client refuses, and lets go of what waits", async (t) => {
  const arrived = Promise.withResolvers<void>();
  const { endpoint } = await member(t, {
    script: async (call) => {
      arrived.resolve();
      await silence(call);
    },
  });
  const dkv = client(t, { endpoints: [endpoint] });
  const waiting = fails(dkv.get("k"), { code: "closed", retry: "notApplied" });
  await arrived.promise;
  dkv.close();
  await waiting;
  await fails(dkv.get("k"), { code: "closed", retry: "never" });
});

test("many operations at once share one connection and one question for the leader", async (t) => {
  const only = await member(t);
  only.servers = [{ id: "dkv-0", rpcAddress: only.endpoint, isLeader: true }];
  only.leader = "dkv-0";
  const dkv = client(t, { endpoints: [only.endpoint] });
  await Promise.all(Array.from({ length: 50 }, async (_, index) => dkv.set(`k${index}`, "v")));
  assert.equal(only.values.size, 50);
  assert.equal(only.methods.filter((method) => method === "getServers").length, 1);
});

test("lists members, and an address that was not told is undefined", async (t) => {
  const only = await member(t);
  only.servers = [
    { id: "dkv-0", raftAddress: "localhost:2380", isLeader: true, isReachable: true, memberId: 7n },
  ];
  const { members } = await client(t, { endpoints: [only.endpoint] }).members();
  assert.deepEqual(members, [
    {
      id: "dkv-0",
      raftAddress: "localhost:2380",
      rpcAddress: undefined,
      isLeader: true,
      isReachable: true,
      memberId: 7n,
    },
  ]);
});

test("texts from members lose their control characters", async (t) => {
  const { ConnectError } = await import("@connectrpc/connect");
  const { endpoint } = await member(t, {
    script: () => {
      throw new ConnectError("one\ntwo\u001b[31m", Code.InvalidArgument);
    },
  });
  const error = await fails(client(t, { endpoints: [endpoint] }).get("k"), {
    code: "invalid_request",
    retry: "never",
  });
  assert.match(error.message, /one two \[31m$/);
});
