/** Whether a member is well in etcd's sense: it can be read and written here, now. */
import type { Member } from "../../consensus/member.ts";
import type { Readiness } from "./readiness.ts";

/** How long a quorum may take. */
const quorumTimeoutMs = 1000;

export interface EtcdHealthDeps {
  readonly member: Pick<Member, "alarms" | "readBarrier">;
  readonly readiness: Readiness;
}

export class EtcdHealth {
  readonly #deps: EtcdHealthDeps;

  constructor(deps: EtcdHealthDeps) {
    this.#deps = deps;
  }

  /**
   * Why it is not well; undefined if it is. Does not reject.
   *
   * @param query may have alarms that do not matter, as `exclude=NOSPACE`; and `serializable=true`, where
   *   neither leader nor quorum does
   */
  async reason(query: URLSearchParams): Promise<string | undefined> {
    const { member, readiness } = this.#deps;
    const excluded = new Set(query.getAll("exclude"));
    const isLocal = query.get("serializable") === "true";
    const isFull = member.alarms().some(({ kind }) => kind === "noSpace");
    if (isFull && !excluded.has("NOSPACE")) return "ALARM NOSPACE";
    for (const { name, reason } of readiness.parts()) {
      const isIgnored = name === "state" ? excluded.has("CORRUPT") : isLocal && !readiness.isStopping;
      if (reason !== undefined && !isIgnored) return reason;
    }
    if (isLocal) return undefined;
    return member.readBarrier(quorumTimeoutMs).then(
      () => undefined,
      (error: unknown) => `RANGE ERROR:${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
