/** From messages of dkv.v1 to plain values. */
import { create } from "@bufbuild/protobuf";
import { type ResponseHeader, ResponseHeaderSchema, type Server } from "@dkv/protocol/dkv/v1/dkv";
import {
  type CheckResponse,
  CheckVerdict,
  type MemberCheck as WireCheck,
  type StatusResponse,
} from "@dkv/protocol/dkv/v1/maintenance";

import { DkvClientError } from "../errors.ts";
import type { CheckResult, Header, Member, MemberCheck, MemberStatus } from "../results.ts";

const verdicts: ReadonlyMap<CheckVerdict, MemberCheck["verdict"]> = new Map([
  [CheckVerdict.AGREES, "agrees"],
  [CheckVerdict.DIFFERS, "differs"],
]);

/** @throws DkvClientError if a count is beyond what can be counted to */
export function readHeader(header: ResponseHeader = create(ResponseHeaderSchema)): Header {
  return {
    clusterId: header.clusterId,
    memberId: header.memberId,
    leader: header.leader === "" ? undefined : header.leader,
    term: readCount(header.term),
    appliedIndex: readCount(header.appliedIndex),
    revision: readCount(header.revision),
  };
}

/** @throws DkvClientError as {@link readHeader} */
export function readMember(server: Server): Member {
  const { id, raftAddress, rpcAddress, isLeader, isReachable, memberId, isLearner, version, isCorrupt } =
    server;
  return {
    id,
    raftAddress,
    rpcAddress: rpcAddress === "" ? undefined : rpcAddress,
    isLeader,
    isReachable,
    memberId,
    isLearner,
    match: readIfThere(server.match),
    lag: readIfThere(server.lag),
    version: version === "" ? undefined : version,
    lastContactMs: readIfThere(server.lastContactMs),
    isCorrupt,
    replaces: server.replaces === 0n ? undefined : server.replaces,
  };
}

/** @throws DkvClientError as {@link readHeader} */
export function readCheck({ index, members, hasMajority, header }: CheckResponse): CheckResult {
  const checks = members.map(readMemberCheck);
  return { index: readCount(index), members: checks, hasMajority, header: readHeader(header) };
}

function readMemberCheck({ id, memberId, isLearner, ...check }: WireCheck): MemberCheck {
  const verdict = verdicts.get(check.verdict) ?? "noAnswer";
  const { hash, revision } = check;
  const answer =
    verdict === "noAnswer"
      ? { hash: undefined, revision: undefined, reason: check.reason }
      : { hash, revision: readCount(revision), reason: undefined };
  return { id, memberId, isLearner, verdict, ...answer };
}

/** @throws DkvClientError as {@link readHeader} */
export function readStatus(status: StatusResponse): MemberStatus {
  const { id, version, isLeader, isLearner, alarms, header } = status;
  return {
    id,
    version,
    isLeader,
    isLearner,
    compactRevision: readCount(status.compactRevision),
    dataBytes: readCount(status.dataBytes),
    logBytes: readCount(status.logBytes),
    quotaBytes: readCount(status.quotaBytes),
    alarms,
    header: readHeader(header),
  };
}

/** @throws DkvClientError as {@link readHeader} */
export function readCount(wire: bigint): number {
  const value = Number(wire);
  if (!Number.isSafeInteger(value)) {
    throw new DkvClientError(
      { code: "unknown", retry: "outcomeUnknown" },
      `a member sent ${wire} where a count below 2^53 belongs`,
    );
  }
  return value;
}

function readIfThere(wire: bigint | undefined): number | undefined {
  return wire === undefined ? undefined : readCount(wire);
}
