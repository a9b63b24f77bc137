/** How the members of a cluster are. */
import { parseAdvertised } from "./endpoints.ts";
import { DkvClientError } from "./errors.ts";
import type { Operation } from "./operation.ts";
import type { CallOptions } from "./options.ts";
import type { Requests } from "./requests.ts";
import type { Member, MemberStatus, StatusReport } from "./results.ts";

const question: Operation<MemberStatus> = {
  name: "status",
  effect: "none",
  call: async (calls, limits) => calls.status(limits),
};

/** Of the member that answers. */
export async function memberStatus(requests: Requests, options: CallOptions): Promise<MemberStatus> {
  return requests.perform(question, options);
}

/** Asks each at its own address, all at the same time. */
export async function clusterStatus(
  requests: Requests,
  members: readonly Member[],
  options: CallOptions,
): Promise<readonly StatusReport[]> {
  return Promise.all(members.map(async (member) => report(requests, member, options)));
}

async function report(requests: Requests, member: Member, options: CallOptions): Promise<StatusReport> {
  const endpoint = member.rpcAddress === undefined ? undefined : parseAdvertised(member.rpcAddress);
  if (endpoint === undefined)
    return { member, status: undefined, reason: "nobody knows where it serves its clients" };
  try {
    return { member, status: await requests.performAt(endpoint, question, options), reason: undefined };
  } catch (error) {
    if (!(error instanceof DkvClientError) || error.code === "canceled" || error.code === "closed")
      throw error;
    return { member, status: undefined, reason: error.message };
  }
}
