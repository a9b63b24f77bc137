/** Who may do what, as far as the workload goes: there are those who may do everything, and others nothing. */
import type { DecodedCommand, LoggedOperation } from "@dkv/store";
import { Refused } from "./true-state.ts";

type Change = Extract<LoggedOperation, { case: "auth" }>["value"]["change"];
type Reason = Refused["reason"];

export class TrueRules {
  readonly #users = new Map<string, Set<string>>();
  readonly #roles = new Set<string>();
  #isEnabled = false;
  #revision = 1n;

  /** Throws what refuses the caller. */
  check({ operation, origin }: Pick<DecodedCommand, "operation" | "origin">): void {
    if (!this.#isEnabled || origin === "member") return;
    if (origin === undefined) throw new Refused("userEmpty");
    demand(origin.authRevision === this.#revision, "authRevisionOld");
    const roles = this.#users.get(origin.user);
    demand(roles !== undefined, "permissionDenied");
    demand(roles?.has("root") === true || operation.case === "grantLease", "permissionDenied");
  }

  change(change: Change): void {
    switch (change.case) {
      case "enable":
        demand(this.#isEnabled || this.#users.has("root"), "rootUserMissing");
        demand(this.#isEnabled || this.#has("root", "root"), "rootRoleMissing");
        this.#isEnabled = true;
        return;
      case "disable":
        if (!this.#isEnabled) return;
        this.#isEnabled = false;
        break;
      case "addUser":
        demand(!this.#users.has(change.value.name), "userExists");
        this.#users.set(change.value.name, new Set());
        break;
      case "grantRole": {
        const { user, role } = change.value;
        demand(this.#users.has(user), "userNotFound");
        if (this.#has(user, role)) return;
        this.#users.get(user)?.add(role);
        break;
      }
      case "addRole":
        demand(!this.#roles.has(change.value.name), "roleExists");
        this.#roles.add(change.value.name);
        break;
      case "deleteRole":
        demand(this.#roles.delete(change.value.name), "roleNotFound");
        break;
      default:
        throw new Error(`no client asks for ${String(change.case)}`);
    }
    this.#revision += 1n;
  }

  #has(user: string, role: string): boolean {
    return this.#users.get(user)?.has(role) === true;
  }
}

function demand(isSo: boolean, reason: Reason): void {
  if (!isSo) throw new Refused(reason);
}
