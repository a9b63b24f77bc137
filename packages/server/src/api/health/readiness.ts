import type { Member } from "../../consensus/member.ts";

/** Whether a member would answer well if it were asked now, and if not, why. */
export interface Readiness {
  /** Undefined if it is ready; else what is missing, for people. */
  reason(): string | undefined;
}

export function createReadiness(member: Member, stopping: AbortSignal): Readiness {
  return {
    reason() {
      if (stopping.aborted) return "the member is stopping";
      return member.status().leaderId === undefined ? "no leader is known" : undefined;
    },
  };
}
