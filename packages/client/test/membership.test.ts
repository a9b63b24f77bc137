import assert from "node:assert/strict";
import { test } from "node:test";

import { Code } from "@connectrpc/connect";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { client, fails, member } from "./fixture.ts";
import { type Call, refusal } from "./scripted-member.ts";

test("members join, are promoted, move, are replaced, lead and leave", async (t) => {
  const only = await member(t);
  const dkv = client(t, { endpoints: [only.endpoint] });
  const listed = () => only.servers.map(({ id, raftAddress, isLearner }) => [id, raftAddress, isLearner]);
  await dkv.memberJoin("dkv-3", "localhost:2383");
  assert.deepEqual(listed(), [["dkv-3", "localhost:2383", true]]);
  await dkv.memberPromote("dkv-3");
  await dkv.memberUpdate("dkv-3", "localhost:2384");
  assert.deepEqual(listed(), [["dkv-3", "localhost:2384", false]]);
  await dkv.memberReplace({ oldId: "dkv-3", id: "dkv-4", address: "localhost:2385" });
  assert.deepEqual(listed().at(-1), ["dkv-4", "localhost:2385", true]);
  const { header } = await dkv.moveLeader("dkv-4");
  assert.equal(header.leader, "dkv-4");
  await dkv.memberLeave("dkv-4");
  assert.deepEqual(listed(), [["dkv-3", "localhost:2384", false]]);
});

test("a change goes to the leader, and the next operation asks who leads after leadership moved", async (t) => {
  const [follower, leader] = [await member(t), await member(t)];
  follower.servers = [{ id: "dkv-1", rpcAddress: leader.endpoint, isLeader: true }];
  follower.leader = leader.leader = "dkv-1";
  const dkv = client(t, { endpoints: [follower.endpoint] });
  await dkv.memberJoin("dkv-3", "localhost:2383");
  await dkv.moveLeader("dkv-0");
  await dkv.set("k", "v");
  assert.deepEqual(follower.methods, ["getServers"]);
  assert.deepEqual(leader.methods, ["joinServer", "moveLeader", "getServers", "set"]);
});

test("a change whose outcome is unknown is repeated, elsewhere too: done twice is as done once", async (t) => {
  const script = ({ method }: Call): void => {
    if (method === "joinServer") throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
  };
  const [one, two] = [await member(t, { script }), await member(t)];
  await client(t, { endpoints: [one.endpoint, two.endpoint] }).memberJoin("dkv-3", "localhost:2383");
  assert.ok(one.methods.includes("joinServer"));
  assert.deepEqual(two.servers.length, 1);
});

test("a change that a member is silent about is tried at another one in time", async (t) => {
  const script = ({ method }: Call): Promise<void> | undefined =>
    method === "leaveServer" ? new Promise(() => {}) : undefined;
  const [mute, healthy] = [await member(t, { script }), await member(t)];
  healthy.servers = [{ id: "dkv-3" }];
  const dkv = client(t, { endpoints: [mute.endpoint, healthy.endpoint], timeoutMs: 1000 });
  await dkv.memberLeave("dkv-3");
  assert.deepEqual(healthy.servers, []);
});

test("a learner that lags behind is asked for until it is promoted", async (t) => {
  let lagging = 3;
  const only = await member(t, {
    script: ({ method }) => {
      if (method !== "promoteServer" || lagging === 0) return;
      lagging -= 1;
      throw refusal("not_caught_up", Retry.NOT_APPLIED, Code.FailedPrecondition);
    },
  });
  await client(t, { endpoints: [only.endpoint] }).memberPromote("dkv-3");
  assert.equal(only.methods.filter((method) => method === "promoteServer").length, 4);
});

test("a refusal for good is heard at once, with its code", async (t) => {
  for (const [code, status] of [
    ["unknown_member", Code.NotFound],
    ["member_exists", Code.AlreadyExists],
    ["quorum_at_risk", Code.FailedPrecondition],
    ["not_voter", Code.FailedPrecondition],
  ] as const) {
    const only = await member(t, {
      script: ({ method }) => {
        if (method === "moveLeader") throw refusal(code, Retry.NEVER, status);
      },
    });
    const dkv = client(t, { endpoints: [only.endpoint] });
    await fails(dkv.moveLeader("dkv-1"), { code, retry: "never", message: new RegExp(`^refused: ${code}$`) });
    assert.equal(only.methods.filter((method) => method === "moveLeader").length, 1);
  }
});

test("an outcome stays unknown when a later attempt is refused", async (t) => {
  const answers = [
    refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN),
    refusal("quorum_at_risk", Retry.NEVER, Code.FailedPrecondition),
  ];
  const only = await member(t, {
    script: ({ method }) => {
      const answer = method === "leaveServer" ? answers.shift() : undefined;
      if (answer !== undefined) throw answer;
    },
  });
  await fails(client(t, { endpoints: [only.endpoint] }).memberLeave("dkv-1"), {
    code: "quorum_at_risk",
    retry: "outcomeUnknown",
    message: /an earlier attempt may have taken effect$/,
  });
});

test("a member that replaces itself is not replaced twice", async (t) => {
  const only = await member(t, {
    script: ({ method }) => {
      if (method === "replaceServer") throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
    },
  });
  const dkv = client(t, { endpoints: [only.endpoint] });
  const same = { oldId: "dkv-1", id: "dkv-1", address: "localhost:2381" };
  await fails(dkv.memberReplace(same), { code: "outcome_unknown", retry: "outcomeUnknown" });
  assert.equal(only.methods.filter((method) => method === "replaceServer").length, 1);
});

test("half of a surrogate pair in a name is refused before anything is sent", async (t) => {
  const only = await member(t);
  const dkv = client(t, { endpoints: [only.endpoint] });
  await fails(dkv.memberLeave("\ud800"), { code: "invalid_request", retry: "never" });
  assert.deepEqual(only.calls, []);
});

test("what the member says of a deadline arrives, though it looks at its clock every 100 ms only", async (t) => {
  const only = await member(t, {
    script: async ({ method, timeoutMs = 0 }) => {
      if (method !== "get") return;
      await new Promise((resolve) => setTimeout(resolve, timeoutMs + 100));
      throw refusal("read_timeout", Retry.NOT_APPLIED, Code.DeadlineExceeded);
    },
  });
  const dkv = client(t, { endpoints: [only.endpoint], timeoutMs: 1000 });
  await fails(dkv.get("k"), { code: "read_timeout", retry: "notApplied" });
});
