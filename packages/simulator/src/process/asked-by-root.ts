import { Replica } from "@dkv/server/consensus/replica";
import type { AuthState, Caller } from "@dkv/store";

/** A replica whose callers are root, where somebody has to be: looked at before they ask, as a door does it. */
export class AskedByRoot extends Replica {
  override propose(
    ...[operation, timeoutMs, caller = callerOf(this.auth, "root")]: Parameters<Replica["propose"]>
  ): ReturnType<Replica["propose"]> {
    return super.propose(operation, timeoutMs, caller);
  }
}

/** Undefined as long as nobody is asked who it is. */
export const callerOf = ({ isEnabled, revision }: AuthState, user: string): Caller | undefined =>
  isEnabled ? { user, authRevision: revision } : undefined;
