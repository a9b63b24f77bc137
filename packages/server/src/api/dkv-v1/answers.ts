/** What the services answer, before it is a message, and as the messages of Connect. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  DeleteResponseSchema,
  GetResponseSchema,
  GetServersResponseSchema,
  KeyValueSchema,
  ResponseHeaderSchema,
  ServerSchema,
  SetResponseSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import type { KeyValue, Revision } from "@dkv/store";
import type { Member, MemberStatus, MemberView } from "../../consensus/member.ts";
import { keyFields } from "./key-bytes.ts";

/** Milliseconds the caller is willing to wait, if it said. */
export type Timeout = number | undefined;

/** Where and when an answer was given. */
export interface AnswerHeader {
  readonly status: MemberStatus;
  /** Of the write that is answered; the store's own for anything else. */
  readonly revision: Revision;
}

export interface GetAnswer {
  readonly header: AnswerHeader;
  readonly found: KeyValue;
}

export interface SetAnswer {
  readonly header: AnswerHeader;
  /** What the key was before, if that was asked for and it existed. */
  readonly previous: KeyValue | undefined;
}

export interface DeleteAnswer extends SetAnswer {
  readonly deleted: boolean;
}

/** The answer to what has nothing more to say than where and when. */
export interface BareAnswer {
  readonly header: AnswerHeader;
}

/** A change of the membership is done. */
export type ChangeAnswer = BareAnswer;

export interface ServersAnswer {
  readonly header: AnswerHeader;
  readonly members: readonly MemberView[];
}

export function getResponse({ header, found }: GetAnswer): MessageInitShape<typeof GetResponseSchema> {
  return {
    value: found.value,
    header: responseHeader(header),
    createRevision: BigInt(found.createRevision),
    modRevision: BigInt(found.modRevision),
    version: BigInt(found.version),
    lease: found.lease,
  };
}

export function setResponse({ header, previous }: SetAnswer): MessageInitShape<typeof SetResponseSchema> {
  return { header: responseHeader(header), ...withPrevious(previous) };
}

export function deleteResponse({
  header,
  deleted,
  previous,
}: DeleteAnswer): MessageInitShape<typeof DeleteResponseSchema> {
  return { header: responseHeader(header), deleted, ...withPrevious(previous) };
}

/** A key with its value and history. */
export function keyValue(found: KeyValue): MessageInitShape<typeof KeyValueSchema> {
  return {
    ...keyFields(found.key),
    value: found.value,
    createRevision: BigInt(found.createRevision),
    modRevision: BigInt(found.modRevision),
    version: BigInt(found.version),
    lease: found.lease,
  };
}

/** The field of a message that is there if something was before. */
export function withPrevious(previous: KeyValue | undefined): {
  readonly previous?: MessageInitShape<typeof KeyValueSchema>;
} {
  return previous === undefined ? {} : { previous: keyValue(previous) };
}

/** The shape that the responses to all changes of the membership have. */
export function changeResponse({ header }: ChangeAnswer): {
  header: MessageInitShape<typeof ResponseHeaderSchema>;
} {
  return { header: responseHeader(header) };
}

export function serversResponse({
  header,
  members,
}: ServersAnswer): MessageInitShape<typeof GetServersResponseSchema> {
  return { header: responseHeader(header), servers: members.map(server) };
}

function server(member: MemberView): MessageInitShape<typeof ServerSchema> {
  const { match, lag, lastContactMs } = member;
  return {
    id: member.name,
    raftAddress: member.peerAddress,
    rpcAddress: member.clientAddress,
    isLeader: member.isLeader,
    memberId: member.id,
    isReachable: member.isReachable,
    isLearner: member.role === "learner",
    version: member.version,
    isCorrupt: member.isCorrupt,
    replaces: member.replaces ?? 0n,
    ...(match !== undefined && { match: BigInt(match) }),
    ...(lag !== undefined && { lag: BigInt(lag) }),
    ...(lastContactMs !== undefined && { lastContactMs: BigInt(Math.round(lastContactMs)) }),
  };
}

export function responseHeader({
  status,
  revision,
}: AnswerHeader): MessageInitShape<typeof ResponseHeaderSchema> {
  return {
    clusterId: status.clusterId,
    memberId: status.memberId,
    leader: status.leader,
    term: BigInt(status.term),
    appliedIndex: BigInt(status.appliedIndex),
    revision: BigInt(revision),
  };
}

/** Of an answer that this member gives now. @param revision of a write; without it the store's own */
export function headerOf(member: Pick<Member, "status">, revision?: Revision): AnswerHeader {
  const status = member.status();
  return { status, revision: revision ?? status.revision };
}
