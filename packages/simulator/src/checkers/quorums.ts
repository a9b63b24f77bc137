/**
 * Quorums: who was elected has the votes, and what was committed has the copies, of a majority of each group
 * of voters, on their disks. Source: Raft §5.2, §5.4.2, Diss. §4.3. Nobody but a simulator can see all disks
 * at once, and so need not wait until a mistake does harm.
 */
import type { Configuration, EntryId, HardState, LogIndex, NodeId, Term } from "@dkv/raft";
import { SafetyViolation } from "./truth.ts";

/** A disk, as far as it counts in a quorum. */
export interface VoterDisk {
  readonly hardState: HardState;
  readonly firstIndex: LogIndex;
  termAt(index: LogIndex): Term | undefined;
}

/**
 * Undefined for a disk of which nothing can be said, as it was damaged: it counts as whatever is hoped for.
 */
export type DiskOf = (id: NodeId) => VoterDisk | undefined;

export function checkElection(
  leader: { readonly id: NodeId; readonly term: Term },
  configuration: Configuration,
  diskOf: DiskOf,
): void {
  const hasVoted = ({ hardState: { term, votedFor } }: VoterDisk): boolean =>
    term > leader.term || (term === leader.term && votedFor === leader.id);
  // Its own vote may still be on the way to its disk: nothing of its office leaves before that is there.
  const ownIsSure: DiskOf = (id) => (id === leader.id ? undefined : diskOf(id));
  require(configuration, ownIsSure, {
    holds: hasVoted,
    what: `the leader of term ${String(leader.term)} lacks votes`,
  });
}

/** @param committed the last entry that the leader of `term` takes for committed, and has not before */
export function checkCommit(
  { term, committed }: { readonly term: Term; readonly committed: EntryId },
  configuration: Configuration,
  diskOf: DiskOf,
): void {
  const what = `entry ${String(committed.index)} of term ${String(committed.term)}`;
  if (committed.term !== term)
    throw new SafetyViolation(`the leader of term ${String(term)} committed ${what} by counting`);
  const hasCopy = (disk: VoterDisk): boolean =>
    committed.index < disk.firstIndex || disk.termAt(committed.index) === committed.term;
  require(configuration, diskOf, { holds: hasCopy, what: `${what} was committed with too few copies` });
}

interface Requirement {
  readonly holds: (disk: VoterDisk) => boolean;
  readonly what: string;
}

function require({ voters, outgoing }: Configuration, diskOf: DiskOf, { holds, what }: Requirement): void {
  for (const group of [voters, outgoing]) {
    const held = group.filter((id) => {
      const disk = diskOf(id);
      return disk === undefined || holds(disk);
    });
    if (group.length > 0 && held.length <= group.length / 2)
      throw new SafetyViolation(`${what}: ${String(held.length)} of ${String(group.length)}`);
  }
}
