import type { Member } from "../../consensus/member.ts";

/** Something that it takes to answer well. */
export interface ReadinessPart {
  readonly name: "leader" | "state";
  /** Undefined if it is well; else what is missing, for people. */
  readonly reason: string | undefined;
}

/** Whether a member would answer well if it were asked now, and if not, why. */
export interface Readiness {
  readonly isStopping: boolean;
  parts(): readonly ReadinessPart[];
  /** Undefined if it is ready; else the first of the reasons why not. */
  reason(): string | undefined;
}

export function createReadiness(member: Pick<Member, "status">, stopping: AbortSignal): Readiness {
  const parts = (): readonly ReadinessPart[] => {
    const { leaderId, isCorrupt } = member.status();
    const noLeader = leaderId === undefined ? "no leader is known" : undefined;
    return [
      { name: "leader", reason: stopping.aborted ? "the member is stopping" : noLeader },
      {
        name: "state",
        reason: isCorrupt ? "the state of the member differs from that of the others" : undefined,
      },
    ];
  };
  return {
    get isStopping() {
      return stopping.aborted;
    },
    parts,
    reason: () => parts().find(({ reason }) => reason !== undefined)?.reason,
  };
}
