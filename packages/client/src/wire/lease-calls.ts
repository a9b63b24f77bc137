/** The calls of the service of leases. */
import type { Client } from "@connectrpc/connect";
import type { LeaseAPI } from "@dkv/protocol/dkv/v1/dkv";

import type { GrantResult, KeepAliveResult, LeaseInfo, LeasesResult, RevokeResult } from "../leases.ts";
import type { Ask, CallLimits } from "./ask.ts";
import { readKeyValue } from "./key-messages.ts";
import { readCount, readHeader } from "./messages.ts";

export interface LeaseCalls {
  grantLease(
    request: { readonly id: bigint; readonly ttlSeconds: number },
    limits: CallLimits,
  ): Promise<GrantResult>;
  keepLeaseAlive(id: bigint, limits: CallLimits): Promise<KeepAliveResult>;
  /** @throws DkvClientError `lease_not_found` besides */
  revokeLease(id: bigint, limits: CallLimits): Promise<RevokeResult>;
  getLease(
    request: { readonly id: bigint; readonly returnKeys: boolean },
    limits: CallLimits,
  ): Promise<LeaseInfo>;
  listLeases(limits: CallLimits): Promise<LeasesResult>;
}

export function createLeaseCalls(client: Client<typeof LeaseAPI>, ask: Ask): LeaseCalls {
  return {
    async grantLease({ id, ttlSeconds }, limits) {
      const request = { id, ttlSeconds: BigInt(ttlSeconds) };
      const granted = await ask.once(limits, async (options) => client.grantLease(request, options));
      const header = readHeader(granted.header);
      return { id: granted.id, ttlSeconds: readCount(granted.ttlSeconds), header };
    },
    async keepLeaseAlive(id, limits) {
      const kept = await ask.once(limits, async (options) => client.keepLeaseAlive({ id }, options));
      return { ttlSeconds: readCount(kept.ttlSeconds), header: readHeader(kept.header) };
    },
    async revokeLease(id, limits) {
      const { header } = await ask.once(limits, async (options) => client.revokeLease({ id }, options));
      return { revoked: true, header: readHeader(header) };
    },
    async getLease(request, limits) {
      const lease = await ask.once(limits, async (options) => client.getLease({ ...request }, options));
      return {
        id: request.id,
        grantedTtlSeconds: readCount(lease.grantedTtlSeconds),
        ttlSeconds: Math.max(0, readCount(lease.ttlSeconds)),
        keys: lease.keys.map(readKeyValue),
        header: readHeader(lease.header),
      };
    },
    async listLeases(limits) {
      const { ids, header } = await ask.once(limits, async (options) => client.listLeases({}, options));
      return { ids, header: readHeader(header) };
    },
  };
}
