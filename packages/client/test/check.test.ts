import assert from "node:assert/strict";
import { test } from "node:test";

import { Code } from "@connectrpc/connect";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";
import { CheckVerdict } from "@dkv/protocol/dkv/v1/maintenance";

import { client, deadEndpoint, member } from "./fixture.ts";
import { refusal } from "./scripted-member.ts";

test("a check says of each member whether it agrees, differs, or gave no answer", async (t) => {
  const only = await member(t);
  const hash = Uint8Array.of(1, 2, 3);
  only.check = {
    index: 12n,
    members: [
      { id: "a", memberId: 1n, verdict: CheckVerdict.AGREES, hash, revision: 9n },
      { id: "b", memberId: 2n, verdict: CheckVerdict.DIFFERS, hash, revision: 8n },
      { id: "c", memberId: 3n, isLearner: true, verdict: CheckVerdict.NO_ANSWER, reason: "silent" },
    ],
  };
  const { members, ...result } = await client(t, { endpoints: [only.endpoint] }).check();
  assert.deepEqual([result.index, result.hasMajority, result.header.revision], [12, false, 9]);
  const reason = undefined;
  assert.deepEqual(
    members.map((row) => ({ ...row, hash: row.hash && [...row.hash] })),
    [
      { id: "a", memberId: 1n, isLearner: false, verdict: "agrees", hash: [1, 2, 3], revision: 9, reason },
      { id: "b", memberId: 2n, isLearner: false, verdict: "differs", hash: [1, 2, 3], revision: 8, reason },
      {
        id: "c",
        memberId: 3n,
        isLearner: true,
        verdict: "noAnswer",
        hash: undefined,
        revision: undefined,
        reason: "silent",
      },
    ],
  );
});

test("a check gives the member that it asks all of the time, however many others there are", async (t) => {
  const only = await member(t);
  const endpoints = [only.endpoint, await deadEndpoint(), await deadEndpoint()];
  await client(t, { endpoints, timeoutMs: 8000 }).check();
  const [call] = only.calls;
  assert.ok((call?.timeoutMs ?? 0) > 7000, `${String(call?.timeoutMs)} ms of 8000`);
});

test("a member whose state is wrong is left for another one", async (t) => {
  const wrong = await member(t, {
    script: ({ method }) => {
      if (method !== "getServers") throw refusal("corrupt", Retry.NOT_APPLIED, Code.DataLoss);
    },
  });
  const right = await member(t);
  const dkv = client(t, { endpoints: [wrong.endpoint, right.endpoint] });
  await dkv.set("key", "value");
  assert.equal(Buffer.from((await dkv.get("key"))?.value ?? []).toString(), "value");
  assert.equal(wrong.values.size, 0);
});
