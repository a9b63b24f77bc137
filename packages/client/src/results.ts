/**
 * What a cluster answers, in plain values. Counts are numbers; names of machines and clusters are bigints.
 */

/** Where and when an answer was given. */
export interface Header {
  readonly clusterId: bigint;
  /** The member that answered. */
  readonly memberId: bigint;
  /** Name of the leader that it follows, if there is one. */
  readonly leader: string | undefined;
  readonly term: number;
  /** Log index up to which it had applied. */
  readonly appliedIndex: number;
  /** Revision of the store; for a write, the one that the write made. */
  readonly revision: number;
}

export interface Member {
  /** Its name. */
  readonly id: string;
  /** Where its peers reach it. */
  readonly raftAddress: string;
  /** Where clients reach it, if the answering member has been told. */
  readonly rpcAddress: string | undefined;
  readonly isLeader: boolean;
  /** Whether the answering member has heard from it lately. */
  readonly isReachable: boolean;
  /** Its number in consensus and in headers. */
  readonly memberId: bigint;
  /** It receives the log and does not count for a majority. */
  readonly isLearner: boolean;
  /** Log index up to which the leader knows it to have the log, if the leader was heard. */
  readonly match: number | undefined;
  /** Entries of the leader's log that it lacks, if the leader was heard. */
  readonly lag: number | undefined;
  /** Version of dkv that it runs, if the answering member has been told. */
  readonly version: string | undefined;
  /** Milliseconds since the answering member heard from it, 0 for itself; undefined if never. */
  readonly lastContactMs: number | undefined;
  /** Its state is known to differ from that of the others: it serves no reads and writes. */
  readonly isCorrupt: boolean;
  /** Number of the member whose place it takes once it has caught up, if it takes one's. */
  readonly replaces: bigint | undefined;
}

/** What a comparison says of one member. */
export interface MemberCheck {
  /** Its name. */
  readonly id: string;
  /** Its number in consensus and in headers. */
  readonly memberId: bigint;
  /** It does not count for a majority. */
  readonly isLearner: boolean;
  /** Whether it has stored what a majority has; without one, whether all who answered have stored the same. */
  readonly verdict: "agrees" | "differs" | "noAnswer";
  /** Of what it has stored; undefined if it gave no answer. */
  readonly hash: Uint8Array | undefined;
  /** Of its store; undefined if it gave no answer. */
  readonly revision: number | undefined;
  /** Why it gave no answer. */
  readonly reason: string | undefined;
}

export interface CheckResult {
  /** Log index at which the members were compared. */
  readonly index: number;
  readonly members: readonly MemberCheck[];
  /** Whether a majority of voters has stored the same. Without one, nobody can be said to be wrong. */
  readonly hasMajority: boolean;
  readonly header: Header;
}

/** A change of the membership is done, or was done before. */
export interface ChangeResult {
  readonly header: Header;
}

export interface MembersResult {
  readonly members: readonly Member[];
  readonly header: Header;
}

/** How one member is. */
export interface MemberStatus {
  /** Its name. */
  readonly id: string;
  /** Of dkv. */
  readonly version: string;
  readonly isLeader: boolean;
  readonly isLearner: boolean;
  /** The oldest revision that can be read; 0 if all can. */
  readonly compactRevision: number;
  /** Bytes of the state on its disk. */
  readonly dataBytes: number;
  /** Bytes of its log. */
  readonly logBytes: number;
  /** Bytes of state from which on nothing is written that takes room; 0 for no such limit. */
  readonly quotaBytes: number;
  /** What is wrong, in words. */
  readonly alarms: readonly string[];
  /** Its revision is the newest one that the member has. */
  readonly header: Header;
}

/** What came of asking one member of a cluster how it is. */
export interface StatusReport {
  readonly member: Member;
  /** Undefined if it gave no answer. */
  readonly status: MemberStatus | undefined;
  /** Why it gave no answer. */
  readonly reason: string | undefined;
}
