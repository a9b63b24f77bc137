import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StatusResponseSchema } from "@dkv/protocol/dkv/v1/maintenance";
import type { Member } from "../../consensus/member.ts";
import { headerOf, responseHeader } from "../dkv-v1/answers.ts";

/** How this member is. Rejects with a DkvError. */
export async function status(
  member: Pick<Member, "status" | "details">,
  version: string,
): Promise<MessageInitShape<typeof StatusResponseSchema>> {
  const details = await member.details();
  const { name, role } = member.status();
  return {
    header: responseHeader(headerOf(member)),
    id: name,
    version,
    isLeader: role === "leader",
    isLearner: details.isLearner,
    compactRevision: BigInt(Math.max(0, details.compactRevision)),
    dataBytes: BigInt(details.dataBytes),
    logBytes: BigInt(details.logBytes),
    quotaBytes: BigInt(details.quotaBytes),
    alarms: [...details.alarms],
  };
}
