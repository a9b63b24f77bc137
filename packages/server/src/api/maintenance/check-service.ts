/** The comparison of all members' states, and what of it a client is told. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type CheckResponseSchema,
  CheckVerdict,
  type MemberCheckSchema,
} from "@dkv/protocol/dkv/v1/maintenance";
import type { CheckReport, Member, MemberCheck, MemberStatus } from "../../consensus/member.ts";
import { responseHeader, type Timeout } from "../dkv-v1/answers.ts";

/** Of the caller's time, so much is kept for the answer to get there. */
const answerShare = 0.1;
const maxAnswerMs = 500;

const verdicts: Readonly<Record<MemberCheck["verdict"], CheckVerdict>> = {
  agrees: CheckVerdict.AGREES,
  differs: CheckVerdict.DIFFERS,
  noAnswer: CheckVerdict.NO_ANSWER,
};

/** Rejects with a DkvError. */
export async function check(
  member: Pick<Member, "check" | "status">,
  timeoutMs: Timeout,
): Promise<MessageInitShape<typeof CheckResponseSchema>> {
  const kept = timeoutMs === undefined ? 0 : Math.min(maxAnswerMs, timeoutMs * answerShare);
  const report = await member.check(timeoutMs === undefined ? undefined : timeoutMs - kept);
  return checkResponse(report, member.status());
}

function checkResponse(
  { index, hasMajority, members }: CheckReport,
  status: MemberStatus,
): MessageInitShape<typeof CheckResponseSchema> {
  const header = responseHeader({ status, revision: status.revision });
  return { index: BigInt(index), hasMajority, members: members.map(memberCheck), header };
}

function memberCheck(member: MemberCheck): MessageInitShape<typeof MemberCheckSchema> {
  const { name, id, role, verdict, hash, revision = 0, reason = "" } = member;
  return {
    id: name,
    memberId: id,
    isLearner: role === "learner",
    verdict: verdicts[verdict],
    revision: BigInt(revision),
    reason,
    ...(hash !== undefined && { hash: Uint8Array.from(hash) }),
  };
}
