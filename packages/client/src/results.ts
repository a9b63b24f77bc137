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

export interface GetResult {
  readonly value: Uint8Array;
  /** Revision at which the key was last created. */
  readonly createRevision: number;
  /** Revision at which the key was last set. */
  readonly modRevision: number;
  /** Number of sets since the key was created, counting that one. */
  readonly version: number;
  readonly header: Header;
}

export interface SetResult {
  readonly header: Header;
}

export interface DeleteResult {
  /** Whether the key was there. */
  readonly deleted: boolean;
  readonly header: Header;
}

export interface Member {
  readonly id: string;
  /** Where its peers reach it. */
  readonly raftAddress: string;
  /** Where clients reach it, if the answering member has been told. */
  readonly rpcAddress: string | undefined;
  readonly isLeader: boolean;
  /** Whether the answering member has heard from it lately. */
  readonly isReachable: boolean;
  readonly memberId: bigint;
}

export interface MembersResult {
  readonly members: readonly Member[];
  readonly header: Header;
}
