import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ResponseHeaderSchema } from "@dkv/protocol/etcdserverpb/rpc";
import type { Revision } from "@dkv/store";
import type { Member } from "../../consensus/member.ts";

type Header = MessageInitShape<typeof ResponseHeaderSchema>;

/** Of an answer that this member gives now. @param revision of a write; without it the store's own */
export function headerOf(member: Pick<Member, "status">, revision?: Revision): Header {
  const { revision: current, ...status } = member.status();
  return { ...ids(status), revision: BigInt(revision ?? current) };
}

/** The same of an answer about members, which names no revision. */
export const headerWithoutRevision = (member: Pick<Member, "status">): Header => ids(member.status());

function ids({
  clusterId,
  memberId,
  term,
}: Pick<ReturnType<Member["status"]>, "clusterId" | "memberId" | "term">) {
  return { clusterId, memberId, raftTerm: BigInt(term) };
}
