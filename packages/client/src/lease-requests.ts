/** Making, keeping, ending and looking at leases. */
import { checkLease, checkTtl } from "./checks.ts";
import { DkvClientError, type ErrorCode } from "./errors.ts";
import type { LeaseRef } from "./keys.ts";
import type { GrantResult, KeepAliveResult, LeaseInfo, LeasesResult, RevokeResult } from "./leases.ts";
import type { CallOptions, GrantOptions, LeaseOptions } from "./options.ts";
import { randomId } from "./platform/time.ts";
import type { Requests } from "./requests.ts";

/** With an ID that is chosen here, so that asking again makes no second lease. */
export async function grantLease(
  requests: Requests,
  ttlSeconds: number,
  { id: given, ...options }: GrantOptions,
): Promise<GrantResult> {
  const id = given ?? randomId();
  const request = { id: checkLease(id), ttlSeconds: checkTtl(ttlSeconds) };
  try {
    return await requests.write(
      {
        name: "lease grant",
        effect: "idempotent",
        call: async (calls, limits) => calls.grantLease(request, limits),
      },
      options,
    );
  } catch (error) {
    // Nobody else has chosen this number: the attempt whose answer was lost made the lease.
    if (given !== undefined || !isIn(error, "lease_exists")) throw error;
    const { grantedTtlSeconds, header } = await getLease(requests, id, options);
    return { id, ttlSeconds: grantedTtlSeconds, header };
  }
}

export async function keepLeaseAlive(
  requests: Requests,
  lease: LeaseRef,
  options: CallOptions,
): Promise<KeepAliveResult> {
  const id = checkLease(lease);
  return requests.write(
    {
      name: "lease keep-alive",
      effect: "idempotent",
      call: async (calls, limits) => calls.keepLeaseAlive(id, limits),
    },
    options,
  );
}

/** That it is gone already is no error. */
export async function revokeLease(
  requests: Requests,
  lease: LeaseRef,
  options: CallOptions,
): Promise<RevokeResult> {
  const id = checkLease(lease);
  try {
    return await requests.perform(
      {
        name: "lease revoke",
        effect: "idempotent",
        call: async (calls, limits) => calls.revokeLease(id, limits),
      },
      options,
    );
  } catch (error) {
    if (!isIn(error, "lease_not_found")) throw error;
    return { revoked: error.retry === "outcomeUnknown", header: undefined };
  }
}

export async function getLease(
  requests: Requests,
  lease: LeaseRef,
  { returnKeys = false, ...options }: LeaseOptions,
): Promise<LeaseInfo> {
  const request = { id: checkLease(lease), returnKeys };
  return requests.perform(
    { name: "lease ttl", effect: "none", call: async (calls, limits) => calls.getLease(request, limits) },
    options,
  );
}

export async function listLeases(requests: Requests, options: CallOptions): Promise<LeasesResult> {
  return requests.perform(
    { name: "lease list", effect: "none", call: async (calls, limits) => calls.listLeases(limits) },
    options,
  );
}

export function isIn(error: unknown, code: ErrorCode): error is DkvClientError {
  return error instanceof DkvClientError && error.code === code;
}
