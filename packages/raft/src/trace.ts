import type { Configuration } from "./configuration/configuration.ts";
import type { Message } from "./messages.ts";
import type { EntryId, LogIndex, NodeId, ReadContext, Term } from "./types.ts";

/** Why a vote was refused. */
export type VoteRefusal = "staleTerm" | "leaderAlive" | "votedForOther" | "logBehind";

/** Why a message had no effect. */
export type IgnoredBecause =
  | "notForUs"
  | "notMember"
  | "staleTerm"
  | "leaderAlive"
  | "malformed"
  | "wrongRole"
  | "oldNews";

/** Things inside the core worth telling. Production logs some, tests print all. */
export type TraceEvent =
  | { readonly kind: "becameFollower"; readonly term: Term; readonly leader: NodeId | undefined }
  | { readonly kind: "becamePreCandidate"; readonly term: Term }
  | { readonly kind: "becameCandidate"; readonly term: Term }
  | { readonly kind: "becameLeader"; readonly term: Term }
  | { readonly kind: "voteGranted"; readonly to: NodeId; readonly term: Term; readonly preVote: boolean }
  | {
      readonly kind: "voteRefused";
      readonly to: NodeId;
      readonly term: Term;
      readonly preVote: boolean;
      readonly because: VoteRefusal;
    }
  | { readonly kind: "quorumLost"; readonly term: Term }
  | { readonly kind: "entriesConflicted"; readonly ours: EntryId; readonly leaders: EntryId }
  | { readonly kind: "prevMissing"; readonly prev: EntryId; readonly hint: EntryId }
  | { readonly kind: "followerProbed"; readonly follower: NodeId; readonly next: LogIndex }
  | { readonly kind: "followerReplicates"; readonly follower: NodeId; readonly match: LogIndex }
  | { readonly kind: "followerNeedsSnapshot"; readonly follower: NodeId; readonly next: LogIndex }
  | { readonly kind: "committed"; readonly index: LogIndex }
  | { readonly kind: "snapshotAccepted"; readonly last: EntryId }
  | { readonly kind: "snapshotNotNeeded"; readonly last: EntryId }
  | {
      readonly kind: "configurationAppended";
      readonly index: LogIndex;
      readonly configuration: Configuration;
    }
  | { readonly kind: "notVoterAnyMore"; readonly term: Term }
  | { readonly kind: "readConfirmed"; readonly context: ReadContext; readonly index: LogIndex }
  | { readonly kind: "readDropped"; readonly context: ReadContext }
  | { readonly kind: "transferStarted"; readonly to: NodeId }
  | { readonly kind: "transferAborted"; readonly to: NodeId }
  | { readonly kind: "ignored"; readonly message: Message; readonly because: IgnoredBecause };
