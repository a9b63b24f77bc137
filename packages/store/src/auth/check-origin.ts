/**
 * Whether a command is done, for whoever asks. Decided where it is applied, by the rules as they are there:
 * so every member decides the same, and no command slips past a change of the rules that stands before it.
 * All of this is for stores with auth enabled.
 */
import { assert } from "../assert.ts";
import { mergeAttached } from "../lease/scan-leases.ts";
import type { LoggedOperation } from "../operation.ts";
import { everyKey, onlyKey } from "../read/interval.ts";
import { Refusal } from "../refusal.ts";
import type { AuthRefusalReason } from "../results.ts";
import type { State } from "../state.ts";
import type { Need as DiskNeed, Prepared } from "../txn/prepare.ts";
import type { LeaseId } from "../version.ts";
import { accessOf } from "./access.ts";
import type { AuthState, Caller, Origin } from "./auth-state.ts";
import { authRefusal, type Need, permits } from "./permissions.ts";

export interface Asked {
  readonly operation: LoggedOperation;
  readonly origin?: Origin | undefined;
}

/** Whether it is refused whatever keys its leases have: then nothing needs to be read for it. */
export const isRefused = (auth: AuthState, asked: Asked): boolean => reasonAgainst(auth, asked) !== undefined;

/** What has to be read of leases, to see whose keys go with them. */
export const needsOfOrigin = (auth: AuthState, asked: Asked): readonly DiskNeed[] =>
  leasesToCheck(auth, asked).map((lease) => ({ kind: "attached", lease }));

/**
 * Throws a refusal, before anything is done.
 *
 * @param prepared what was read for {@link needsOfOrigin}
 */
export function checkOrigin(
  { auth, overlay }: Pick<State, "auth" | "overlay">,
  asked: Asked,
  prepared: Prepared | undefined,
): void {
  const reason = reasonAgainst(auth, asked);
  if (reason !== undefined) throw new Refusal(reason);
  for (const lease of leasesToCheck(auth, asked)) {
    assert(prepared !== undefined, "the keys of a lease are prepared before they are looked at");
    const needs = mergeAttached(prepared.attached(lease), overlay.layers, lease).map(toWrite);
    const refused = authRefusal(auth, callerOf(asked), needs);
    if (refused !== undefined) throw new Refusal(refused);
  }
}

function reasonAgainst(auth: AuthState, asked: Asked): AuthRefusalReason | undefined {
  if (asked.origin === "member") return undefined;
  return authRefusal(auth, asked.origin, accessOf(asked.operation).needs);
}

/** Those of which it counts whose keys go with them. Each once. */
function leasesToCheck(auth: AuthState, asked: Asked): readonly LeaseId[] {
  const caller = callerOf(asked);
  if (caller === undefined || permits(auth, caller.user, toWriteAll)) return [];
  return [...new Set(accessOf(asked.operation).leases)];
}

const callerOf = ({ origin }: Asked): Caller | undefined => (origin === "member" ? undefined : origin);

/** Who may do that may end any lease: the keys of one, which may be many, need not be read then. */
const toWriteAll: Need = { kind: "write", interval: everyKey };

const toWrite = (key: string): Need => ({ kind: "write", interval: onlyKey(key) });
