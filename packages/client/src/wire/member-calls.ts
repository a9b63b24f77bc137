/** The calls of the services of membership and maintenance. */
import type { Client } from "@connectrpc/connect";
import type { MembershipAPI, ResponseHeader } from "@dkv/protocol/dkv/v1/dkv";
import type { MaintenanceAPI } from "@dkv/protocol/dkv/v1/maintenance";

import type { MembershipChange } from "../membership.ts";
import type { ChangeResult, CheckResult, MembersResult, MemberStatus } from "../results.ts";
import { type OpenStream, openStream } from "../stream.ts";
import type { Ask, CallLimits, SendOptions } from "./ask.ts";
import { readCheck, readHeader, readMember, readStatus } from "./messages.ts";

export interface MaintenanceCalls {
  members(limits: CallLimits): Promise<MembersResult>;
  changeMembership(change: MembershipChange, limits: CallLimits): Promise<ChangeResult>;
  check(limits: CallLimits): Promise<CheckResult>;
  status(limits: CallLimits): Promise<MemberStatus>;
  /** Resolves once the first piece is here; the limits count no longer then. */
  backup(request: { readonly serializable: boolean }, limits: CallLimits): Promise<OpenStream<Uint8Array>>;
}

export function createMemberCalls(
  membership: Client<typeof MembershipAPI>,
  maintenance: Client<typeof MaintenanceAPI>,
  ask: Ask,
): MaintenanceCalls {
  return {
    async members(limits) {
      const { servers, header } = await ask.once(limits, async (options) =>
        membership.getServers({}, options),
      );
      return { members: servers.map(readMember), header: readHeader(header) };
    },
    async changeMembership(change, limits) {
      const { header } = await ask.once(limits, async (options) => sendChange(membership, change, options));
      return { header: readHeader(header) };
    },
    async check(limits) {
      return readCheck(await ask.once(limits, async (options) => maintenance.check({}, options)));
    },
    async status(limits) {
      return readStatus(await ask.once(limits, async (options) => maintenance.status({}, options)));
    },
    async backup(request, limits) {
      const open = async function* (signal: AbortSignal): AsyncGenerator<Uint8Array> {
        for await (const { piece } of maintenance.snapshot({ ...request }, { signal })) yield piece;
      };
      return openStream(open, limits.signal, ask.explain);
    },
  };
}

async function sendChange(
  membership: Client<typeof MembershipAPI>,
  change: MembershipChange,
  options: SendOptions,
): Promise<{ readonly header?: ResponseHeader | undefined }> {
  switch (change.kind) {
    case "join":
      return membership.joinServer({ id: change.id, address: change.address }, options);
    case "leave":
      return membership.leaveServer({ id: change.id }, options);
    case "promote":
      return membership.promoteServer({ id: change.id }, options);
    case "replace":
      return membership.replaceServer(
        { oldId: change.oldId, id: change.id, address: change.address },
        options,
      );
    case "update":
      return membership.updateServer({ id: change.id, address: change.address }, options);
    case "moveLeader":
      return membership.moveLeader({ id: change.id }, options);
  }
}
