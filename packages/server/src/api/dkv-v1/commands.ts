/** Commands of the store, made of the requests of dkv.v1. */
import type { DeleteCommand, SetCommand } from "@dkv/protocol/dkv/peer/v1/command";
import { type LeaseId, noLease, plainSet } from "@dkv/store";
import type { LeaseKeeper } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { grantedTtl } from "./numbers.ts";

export function plainDelete(key: Uint8Array): DeleteCommand {
  return { $typeName: "dkv.peer.v1.DeleteCommand", key, rangeEnd: nothing, wantPrevious: false };
}

const nothing = new Uint8Array();

/** What SetRequest and TxnSet have in common. */
export interface SetTerms {
  readonly ttlSeconds: bigint;
  readonly lease: LeaseId;
  readonly returnPrevious: boolean;
}

/** Throws a DkvError if the terms contradict each other. */
export function setCommand(
  { key, value }: { readonly key: Uint8Array; readonly value: Uint8Array },
  terms: SetTerms,
  leases: Pick<LeaseKeeper, "newId" | "leastTtl">,
): SetCommand {
  const command = { ...plainSet(key, value), lease: terms.lease, wantPrevious: terms.returnPrevious };
  if (terms.ttlSeconds === 0n) return command;
  if (terms.lease !== noLease)
    throw new DkvError(
      "invalidRequest",
      "ttl_seconds and lease are both set: a key has one lease or the other",
    );
  return { ...command, lease: leases.newId(), grantTtl: grantedTtl(terms.ttlSeconds, leases.leastTtl) };
}
