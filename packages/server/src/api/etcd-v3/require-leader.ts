/**
 * Clients of etcd may ask to be served only while their member knows a leader, with a field of the header.
 * Otherwise what goes through the log or to the leader waits for one, and the rest goes on without.
 */
import type { Member } from "../../consensus/member.ts";
import type { StreamMethod } from "../stream-method.ts";
import { RefusedCall } from "../refused-call.ts";
import type { RequestFields } from "../request-fields.ts";
import type { UnaryMethod } from "../unary-method.ts";
import { etcdError } from "./errors.ts";

const fieldName = "hasleader";

type KnowingMember = Pick<Member, "status">;

const isMissed = (member: KnowingMember, fields: RequestFields): boolean =>
  fields.get(fieldName) === "true" && member.status().leaderId === undefined;

export function unaryWithLeader(method: UnaryMethod, member: KnowingMember): UnaryMethod {
  return {
    ...method,
    call: (message, timeoutMs, fields) =>
      isMissed(member, fields)
        ? Promise.reject(etcdError("noLeader"))
        : method.call(message, timeoutMs, fields),
  };
}

/** Looks once, at the beginning: watches end by themselves when there was no leader for too long. */
export function streamWithLeader(method: StreamMethod, member: KnowingMember): StreamMethod {
  return {
    ...method,
    open: (client, fields) =>
      isMissed(member, fields) ? new RefusedCall(client, etcdError("noLeader")) : method.open(client, fields),
  };
}
