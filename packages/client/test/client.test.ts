import assert from "node:assert/strict";
import { test } from "node:test";

import { Code, ConnectError } from "@connectrpc/connect";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { client, fails, member, silence } from "./fixture.ts";
import { refusal } from "./scripted-member.ts";

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
    call?.timeoutMs !== undefined && call.timeoutMs > 1400 && call.timeoutMs <= 1750,
    String(call?.timeoutMs),
  );
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

test("lists members, and what was not told is undefined", async (t) => {
  const only = await member(t);
  only.servers = [
    { id: "dkv-0", raftAddress: "localhost:2380", isLeader: true, isReachable: true, memberId: 7n },
    {
      id: "dkv-1",
      raftAddress: "localhost:2381",
      isLearner: true,
      match: 0n,
      lag: 5n,
      version: "0.1.0",
      lastContactMs: 0n,
      isCorrupt: true,
      replaces: 7n,
    },
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
      isLearner: false,
      match: undefined,
      lag: undefined,
      version: undefined,
      lastContactMs: undefined,
      isCorrupt: false,
      replaces: undefined,
    },
    {
      id: "dkv-1",
      raftAddress: "localhost:2381",
      rpcAddress: undefined,
      isLeader: false,
      isReachable: false,
      memberId: 0n,
      isLearner: true,
      match: 0,
      lag: 5,
      version: "0.1.0",
      lastContactMs: 0,
      isCorrupt: true,
      replaces: 7n,
    },
  ]);
});

test("texts from members lose their control characters", async (t) => {
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
