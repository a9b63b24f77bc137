/** What a read waits for before it is served from this member's state. */
import type { Member } from "../consensus/member.ts";

export interface ReadTerms {
  /** Whether the caller takes what this member has. */
  readonly serializable: boolean;
  /** The one that is to be read; not above 0 for the current one. */
  readonly revision: bigint;
}

/**
 * Resolves when this member's state answers a read as it was asked for. Rejects with a DkvError.
 *
 * A caller who takes what this member has waits all the same for a revision that it does not have yet: he has
 * seen it at another member, as the transactional memory of etcd's clients has, whose later reads go to any
 * member and name the revision of the first.
 */
export async function caughtUp(
  member: Pick<Member, "readBarrier" | "status">,
  { serializable, revision }: ReadTerms,
  timeoutMs?: number,
): Promise<void> {
  const isHere = revision <= 0n || revision <= BigInt(member.status().revision);
  if (!serializable || !isHere) await member.readBarrier(timeoutMs);
}
