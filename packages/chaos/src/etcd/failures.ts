/** What a client of etcd's API knows of a request that has failed. */
import { DkvClientError, type ErrorCode, type Retry } from "@dkv/client";
import { Code, ConnectError } from "@connectrpc/connect";
import type { WatchResponse } from "@dkv/protocol/etcdserverpb/rpc";

/** Refusals, after which nothing was done and nothing will be. */
const refusals = new Map<Code, ErrorCode>([
  [Code.InvalidArgument, "invalid_request"],
  [Code.NotFound, "lease_not_found"],
  [Code.OutOfRange, "compacted"],
  [Code.FailedPrecondition, "precondition_failed"],
  [Code.ResourceExhausted, "no_space"],
]);

/** Who says so has not begun anything. */
const notBegun = /^etcdserver: (?:no leader|leader changed)$/;

/** Nobody was there to take a request. */
const notConnected = "ECONNREFUSED";

/** Why a watch was ended that nobody has asked to end. */
export function canceled({ compactRevision, cancelReason }: WatchResponse): DkvClientError {
  const isLate = compactRevision > 0n;
  return failure(isLate ? "compacted" : "no_leader", isLate ? "never" : "notApplied", cancelReason);
}

/** @param isWrite whether it could have had an effect */
export function failureOf(error: unknown, isWrite: boolean): DkvClientError {
  if (error instanceof DkvClientError) return error;
  const { code, rawMessage, cause } = ConnectError.from(error);
  const refusal = refusals.get(code);
  if (refusal !== undefined) return failure(refusal, "never", rawMessage);
  const isHarmless = !isWrite || notBegun.test(rawMessage) || isNotConnected(cause);
  return failure(
    code === Code.DeadlineExceeded ? "deadline_exceeded" : "connection_lost",
    isHarmless ? "notApplied" : "outcomeUnknown",
    rawMessage,
  );
}

export function failure(code: ErrorCode, retry: Retry, message: string): DkvClientError {
  return new DkvClientError({ code, retry }, message);
}

function isNotConnected(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === notConnected;
}
