import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { Code } from "@connectrpc/connect";
import { Retry } from "@dkv/protocol/dkv/v1/dkv";
import { CheckVerdict } from "@dkv/protocol/dkv/v1/maintenance";

import { refusal, ScriptedMember } from "../../client/test/scripted-member.ts";
import { dkvctl, type Ending } from "./dkvctl.ts";

type Check = ScriptedMember["check"];

const same = Buffer.alloc(32, 0xab);
const other = Buffer.alloc(32, 0xcd);

const agrees = (id: string) => ({
  id,
  memberId: 2n ** 63n,
  verdict: CheckVerdict.AGREES,
  hash: same,
  revision: 9n,
});
const differs = (id: string) => ({
  id,
  memberId: 3n,
  verdict: CheckVerdict.DIFFERS,
  hash: other,
  revision: 8n,
});
const silent = (id: string) => ({
  id,
  memberId: 4n,
  isLearner: true,
  verdict: CheckVerdict.NO_ANSWER,
  reason: "it did not answer in time",
});

async function checked(t: TestContext, check: Check, ...words: readonly string[]): Promise<Ending> {
  const member = await ScriptedMember.start();
  t.after(() => member.stop());
  member.check = { index: 12n, ...check };
  return dkvctl([`--endpoint=${member.endpoint}`, "check", ...words]);
}

test("members that have stored the same are listed, and the command succeeds", async (t) => {
  const { code, stdout, stderr } = await checked(t, {
    hasMajority: true,
    members: [agrees("dkv-0"), agrees("dkv-1"), silent("dkv-2")],
  });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(
    stdout,
    [
      "ID\t| Verdict\t| Index\t| Revision\t| Hash\t| Reason",
      `dkv-0\t| agrees\t| 12\t| 9\t| ${"ab".repeat(32)}\t| `,
      `dkv-1\t| agrees\t| 12\t| 9\t| ${"ab".repeat(32)}\t| `,
      "dkv-2\t| no answer\t| \t| \t| \t| it did not answer in time",
      "",
    ].join("\n"),
  );
});

test("a member that differs is named, with what to do, and the command fails", async (t) => {
  const check = { hasMajority: true, members: [agrees("dkv-0"), differs("dkv-1"), agrees("dkv-2")] };
  const { code, stdout, stderr } = await checked(t, check);
  assert.equal(code, 1);
  assert.match(stdout, new RegExp(`^dkv-1\t\\| DIFFERS\t\\| 12\t\\| 8\t\\| ${"cd".repeat(32)}`, "m"));
  assert.match(stderr, /^dkvctl: .* on dkv-1, .* dkvctl member-replace\n$/);
  assert.equal((await checked(t, check, "-o", "value")).stdout, "dkv-1\n");
});

test("members that differ without a majority are an error that blames nobody", async (t) => {
  const { code, stderr } = await checked(t, {
    members: [differs("dkv-0"), differs("dkv-1"), silent("dkv-2")],
  });
  assert.equal(code, 1);
  assert.match(stderr, /no majority the same, so it cannot be said who is wrong/);
});

test("a voter that gave no answer is named, and the command fails although all others agree", async (t) => {
  const voter = { ...silent("dkv-2"), isLearner: false };
  const { code, stdout, stderr } = await checked(t, {
    hasMajority: true,
    members: [agrees("dkv-0"), agrees("dkv-1"), voter, silent("dkv-3")],
  });
  assert.equal(code, 1);
  assert.match(stdout, /^dkv-2\t\| no answer/m);
  assert.equal(
    stderr,
    "dkvctl: all who answered have stored the same, and dkv-2 gave no answer: start it and check again, or wait " +
      "longer with --timeout\n",
  );
});

test("too few answers are an error, whether or not they agree", async (t) => {
  const { code, stderr } = await checked(t, { members: [agrees("dkv-0"), silent("dkv-1"), silent("dkv-2")] });
  assert.equal(code, 1);
  assert.match(stderr, /no majority gave an answer \(dkv-1, dkv-2 did not\).* --timeout/);
});

test("the json form has everything, and hashes in hex", async (t) => {
  const members = [agrees("dkv-0"), differs("dkv-1"), silent("dkv-2")];
  const { code, stdout } = await checked(t, { hasMajority: true, members }, "-o", "json");
  assert.equal(code, 1);
  const { header, ...report } = JSON.parse(stdout) as { readonly header: { readonly revision: number } };
  assert.equal(header.revision, 9);
  const row = { is_learner: false, reason: "" };
  assert.deepEqual(report, {
    index: 12,
    has_majority: true,
    members: [
      {
        ...row,
        id: "dkv-0",
        member_id: String(2n ** 63n),
        verdict: "agrees",
        hash: same.toString("hex"),
        revision: 9,
      },
      { ...row, id: "dkv-1", member_id: "3", verdict: "differs", hash: other.toString("hex"), revision: 8 },
      {
        id: "dkv-2",
        member_id: "4",
        is_learner: true,
        verdict: "no_answer",
        hash: "",
        revision: null,
        reason: "it did not answer in time",
      },
    ],
  });
});

test("a check that could not be made is one line with the member's reason", async (t) => {
  const member = await ScriptedMember.start({
    script: () => {
      throw refusal("unimplemented", Retry.NEVER, Code.Unimplemented);
    },
  });
  t.after(() => member.stop());
  const { code, stdout, stderr } = await dkvctl([`--endpoint=${member.endpoint}`, "check"]);
  assert.deepEqual([code, stdout, stderr], [1, "", "dkvctl: refused: unimplemented\n"]);
});
