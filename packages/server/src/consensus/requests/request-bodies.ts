/** The bodies of requests between members, and what they mean here. Their fields are in request.proto. */
import { create, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  DoneSchema,
  FailureSchema,
  FollowersSchema,
  KeepLeasesAliveSchema,
  LeaseTimeSchema,
  LeaseTimesQuestionSchema,
  LeaseTimesSchema,
  ListFollowersSchema,
  MemberRequestSchema,
  MemberResponseSchema,
  MembershipChangeSchema,
  MoveLeaderSchema,
  StateHashQuestionSchema,
  StateHashSchema,
} from "@dkv/protocol/dkv/peer/v1/request";
import { logIndex, nodeId, type LogIndex, type NodeId } from "@dkv/raft";
import type { LeaseId } from "@dkv/store";
import { DkvError, errorCodes } from "../../platform/errors.ts";
import type { StateHash } from "../check/state-hashes.ts";
import type { LeaseTime } from "../leases/lease-keeper.ts";
import type { MembershipChange } from "../member.ts";
import type { Wish } from "../membership/plan.ts";

/** About leases, which a leader alone can answer. */
export type LeaseRequest = Extract<MemberRequest, { kind: "keepLeasesAlive" | "leaseTimes" }>;

/** What else a leader alone can answer. */
export type LeaderRequest = Exclude<MemberRequest, LeaseRequest | { kind: "stateHash" }>;

export type MemberRequest =
  | ({ readonly kind: "change"; readonly timeoutMs: number } & Wish)
  | { readonly kind: "moveLeader"; readonly name: string; readonly timeoutMs: number }
  | { readonly kind: "listFollowers"; readonly timeoutMs: number }
  | { readonly kind: "stateHash"; readonly index: LogIndex; readonly timeoutMs: number }
  | {
      readonly kind: "keepLeasesAlive" | "leaseTimes";
      readonly ids: readonly LeaseId[];
      readonly timeoutMs: number;
    };

/** Nobody asks about more at once. */
export const maxLeasesAsked = 1000;

/** How far the followers are, as the leader knows. */
export interface Followers {
  /** Of the leader's own log. */
  readonly lastIndex: LogIndex;
  readonly matches: ReadonlyMap<NodeId, LogIndex>;
}

export type MemberResponse =
  | { readonly kind: "done" }
  | { readonly kind: "failure"; readonly error: DkvError }
  | { readonly kind: "followers"; readonly followers: Followers }
  /** `known` is undefined if the member does not know what its state was there. */
  | { readonly kind: "stateHash"; readonly index: LogIndex; readonly known: StateHash | undefined }
  /** In the order of the question; undefined for a lease that is gone, or about to go. */
  | { readonly kind: "leaseTimes"; readonly times: readonly (LeaseTime | undefined)[] };

export function encodeRequest(request: MemberRequest): Uint8Array {
  const newId = request.kind === "change" ? request.newId : 0n;
  const timeoutMs = Math.ceil(request.timeoutMs);
  const message = create(MemberRequestSchema, { newId, timeoutMs });
  switch (request.kind) {
    case "change":
      message.kind = { case: "change", value: writeChange(request.change) };
      break;
    case "moveLeader":
      message.kind = { case: "moveLeader", value: create(MoveLeaderSchema, { name: request.name }) };
      break;
    case "listFollowers":
      message.kind = { case: "listFollowers", value: create(ListFollowersSchema) };
      break;
    case "stateHash": {
      const index = BigInt(request.index);
      message.kind = { case: "stateHash", value: create(StateHashQuestionSchema, { index }) };
      break;
    }
    case "keepLeasesAlive":
      message.kind = { case: request.kind, value: create(KeepLeasesAliveSchema, { ids: [...request.ids] }) };
      break;
    case "leaseTimes":
      message.kind = {
        case: request.kind,
        value: create(LeaseTimesQuestionSchema, { ids: [...request.ids] }),
      };
  }
  return toBinary(MemberRequestSchema, message);
}

function writeChange(change: MembershipChange): MessageShape<typeof MembershipChangeSchema> {
  switch (change.kind) {
    case "join": {
      const { kind, name, peerAddress, staysLearner = false } = change;
      const value = { name, peerAddress, staysLearner };
      return create(MembershipChangeSchema, { kind: { case: kind, value } });
    }
    case "update": {
      const { kind, name, peerAddress } = change;
      return create(MembershipChangeSchema, { kind: { case: kind, value: { name, peerAddress } } });
    }
    case "leave":
    case "promote":
      return create(MembershipChangeSchema, { kind: { case: change.kind, value: { name: change.name } } });
    case "replace": {
      const { old, name, peerAddress } = change;
      return create(MembershipChangeSchema, { kind: { case: "replace", value: { old, name, peerAddress } } });
    }
  }
}

/** Undefined for what only another version of dkv asks, and for what makes no sense. */
export function decodeRequest(body: Uint8Array): MemberRequest | undefined {
  return parsed(() => readRequest(body));
}

function readRequest(body: Uint8Array): MemberRequest | undefined {
  const { kind, newId, timeoutMs } = fromBinary(MemberRequestSchema, body);
  switch (kind.case) {
    case "change": {
      const change = readChange(kind.value);
      return change && { kind: "change", change, newId: nodeId(newId), timeoutMs };
    }
    case "moveLeader":
      return { kind: "moveLeader", name: kind.value.name, timeoutMs };
    case "listFollowers":
      return { kind: "listFollowers", timeoutMs };
    case "stateHash":
      return { kind: "stateHash", index: logIndex(Number(kind.value.index)), timeoutMs };
    case "keepLeasesAlive":
    case "leaseTimes": {
      const { ids } = kind.value;
      return ids.length > maxLeasesAsked ? undefined : { kind: kind.case, ids, timeoutMs };
    }
    case undefined:
      return undefined;
  }
}

function readChange({ kind }: MessageShape<typeof MembershipChangeSchema>): MembershipChange | undefined {
  switch (kind.case) {
    case "join": {
      const { name, peerAddress, staysLearner } = kind.value;
      return { kind: kind.case, name, peerAddress, ...(staysLearner && { staysLearner }) };
    }
    case "update":
      return { kind: kind.case, name: kind.value.name, peerAddress: kind.value.peerAddress };
    case "leave":
    case "promote":
      return { kind: kind.case, name: kind.value.name };
    case "replace": {
      const { old, name, peerAddress } = kind.value;
      return { kind: "replace", old, name, peerAddress };
    }
    case undefined:
      return undefined;
  }
}

export function encodeResponse(response: MemberResponse): Uint8Array {
  const message = create(MemberResponseSchema);
  switch (response.kind) {
    case "done":
      message.kind = { case: "done", value: create(DoneSchema) };
      break;
    case "failure": {
      const { code, message: text } = response.error;
      message.kind = { case: "failure", value: create(FailureSchema, { code, message: text }) };
      break;
    }
    case "followers":
      message.kind = { case: "followers", value: writeFollowers(response.followers) };
      break;
    case "stateHash":
      message.kind = { case: "stateHash", value: writeStateHash(response.index, response.known) };
      break;
    case "leaseTimes":
      message.kind = { case: "leaseTimes", value: writeLeaseTimes(response.times) };
  }
  return toBinary(MemberResponseSchema, message);
}

function writeLeaseTimes(times: readonly (LeaseTime | undefined)[]): MessageShape<typeof LeaseTimesSchema> {
  return create(LeaseTimesSchema, { times: times.map((time) => create(LeaseTimeSchema, time)) });
}

function readLeaseTimes({ times }: MessageShape<typeof LeaseTimesSchema>): MemberResponse {
  // A lease that there is was granted some time.
  const found = times.map(({ grantedTtl, remainingTtl }) =>
    grantedTtl === 0n ? undefined : { grantedTtl, remainingTtl },
  );
  return { kind: "leaseTimes", times: found };
}

function writeStateHash(index: LogIndex, known: StateHash | undefined): MessageShape<typeof StateHashSchema> {
  const message = create(StateHashSchema, { index: BigInt(index) });
  return known === undefined
    ? message
    : { ...message, revision: BigInt(known.revision), hash: Uint8Array.from(known.hash) };
}

function readStateHash(message: MessageShape<typeof StateHashSchema>): MemberResponse {
  const { revision, hash } = message;
  const index = logIndex(Number(message.index));
  const known = hash.length === 0 ? undefined : { index, revision: countOf(revision), hash };
  return { kind: "stateHash", index, known };
}

function countOf(value: bigint): number {
  const count = Number(value);
  if (!Number.isSafeInteger(count)) throw new RangeError("a revision is above 2^53-1");
  return count;
}

function writeFollowers({ lastIndex, matches }: Followers): MessageShape<typeof FollowersSchema> {
  const followers = Array.from(matches, ([id, match]) => ({ id, match: BigInt(match) }));
  return create(FollowersSchema, { followers, lastIndex: BigInt(lastIndex) });
}

/** An answer that only another version of dkv gives says nothing of the outcome. */
export function decodeResponse(body: Uint8Array): MemberResponse {
  return (
    parsed(() => readResponse(body)) ?? {
      kind: "failure",
      error: new DkvError("outcomeUnknown", "the leader gave an answer that this version does not know"),
    }
  );
}

function readResponse(body: Uint8Array): MemberResponse | undefined {
  const { kind } = fromBinary(MemberResponseSchema, body);
  switch (kind.case) {
    case "done":
      return { kind: "done" };
    case "followers": {
      const { followers, lastIndex } = kind.value;
      const matches = followers.map(({ id, match }) => [nodeId(id), logIndex(Number(match))] as const);
      return {
        kind: "followers",
        followers: { lastIndex: logIndex(Number(lastIndex)), matches: new Map(matches) },
      };
    }
    case "stateHash":
      return readStateHash(kind.value);
    case "leaseTimes":
      return readLeaseTimes(kind.value);
    case "failure": {
      const { code, message } = kind.value;
      const known = errorCodes.find((one) => one === code) ?? "outcomeUnknown";
      return { kind: "failure", error: new DkvError(known, message) };
    }
    case undefined:
      return undefined;
  }
}

function parsed<Message>(parse: () => Message): Message | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
