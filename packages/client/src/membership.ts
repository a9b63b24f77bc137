import { checkText } from "./checks.ts";
import type { CallOptions } from "./options.ts";
import type { Requests } from "./requests.ts";
import type { ChangeResult } from "./results.ts";
import type { Effect } from "./retry.ts";

/** A change of who belongs to the cluster, or leads it. An `id` is a member's name. */
export type MembershipChange =
  | { readonly kind: "join"; readonly id: string; readonly address: string }
  | { readonly kind: "leave"; readonly id: string }
  | { readonly kind: "promote"; readonly id: string }
  | { readonly kind: "replace"; readonly oldId: string; readonly id: string; readonly address: string }
  | { readonly kind: "update"; readonly id: string; readonly address: string }
  | { readonly kind: "moveLeader"; readonly id: string };

/**
 * What asking for the change twice does. A member that replaces itself is a new one each time, so the second
 * attempt would throw out what the first brought in.
 */
function effectOf(change: MembershipChange): Effect {
  return change.kind === "replace" && change.oldId === change.id ? "once" : "idempotent";
}

/** For messages: what the change is called in dkvctl. */
function nameOf({ kind }: MembershipChange): string {
  return kind === "moveLeader" ? "move-leader" : `member-${kind}`;
}

export async function changeMembership(
  requests: Requests,
  change: MembershipChange,
  options: CallOptions,
): Promise<ChangeResult> {
  for (const text of Object.values(change)) checkText("name or address of the member", text);
  return requests.write(
    {
      name: nameOf(change),
      effect: effectOf(change),
      call: async (calls, limits) => calls.changeMembership(change, limits),
    },
    options,
  );
}
