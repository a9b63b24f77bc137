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
  require(configuration, diskOf, {
    holds: hasVoted,
    what: `the leader of term ${String(leader.term)} lacks votes`,
  });
}

/** What a leader knew of its log at the end of one step. */
export interface Commitment {
  readonly term: Term;
  /** The last entry that it takes for committed, and has not before. */
  readonly committed: EntryId;
}

export function checkCommit(
  { term, committed }: Commitment,
  configuration: Configuration,
  diskOf: DiskOf,
): void {
  if (committed.term !== term)
    throw new SafetyViolation(
      `the leader of term ${String(term)} committed ${describe(committed)} by counting`,
    );
  require(configuration, diskOf, {
    holds: (disk) => hasCopy(disk, committed),
    what: `${describe(committed)} was committed with too few copies`,
  });
}

/**
 * In one step a configuration was committed, the next one was appended and took its place, and by that one
 * more was committed: as when a leader leaves a joint configuration.
 *
 * @param first the entry of the first of the two configurations
 */
export function checkCommitOver(
  { first, ...later }: Commitment & { readonly first: EntryId },
  [before, after]: readonly [Configuration, Configuration],
  diskOf: DiskOf,
): void {
  require(before, diskOf, {
    holds: (disk) => hasCopy(disk, first),
    what: `the configuration at ${String(first.index)} was replaced with too few copies`,
  });
  checkCommit(later, after, diskOf);
}

export const isCommitted = (entry: EntryId, configuration: Configuration, diskOf: DiskOf): boolean =>
  lacking(configuration, diskOf, (disk) => hasCopy(disk, entry)) === undefined;

const describe = ({ index, term }: EntryId): string => `entry ${String(index)} of term ${String(term)}`;

const hasCopy = (disk: VoterDisk, { index, term }: EntryId): boolean =>
  index < disk.firstIndex || disk.termAt(index) === term;

interface Requirement {
  readonly holds: (disk: VoterDisk) => boolean;
  readonly what: string;
}

function require(configuration: Configuration, diskOf: DiskOf, { holds, what }: Requirement): void {
  const group = lacking(configuration, diskOf, holds);
  if (group !== undefined)
    throw new SafetyViolation(`${what}: ${String(group.held)} of ${String(group.size)}`);
}

/** The group of voters that has no majority, if there is one. */
function lacking(
  { voters, outgoing }: Configuration,
  diskOf: DiskOf,
  holds: Requirement["holds"],
): { readonly held: number; readonly size: number } | undefined {
  for (const group of [voters, outgoing]) {
    const size = group.length;
    const held = group.filter((id) => {
      const disk = diskOf(id);
      return disk === undefined || holds(disk);
    }).length;
    if (size > 0 && held <= size / 2) return { held, size };
  }
  return undefined;
}
