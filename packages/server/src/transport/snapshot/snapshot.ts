/** Snapshots as the transport sees them: something to read chunks from, something to write chunks to. */
import type { Term } from "@dkv/raft";
import type { SnapshotHeader, SnapshotTrailer } from "@dkv/snapshot";

/** What is sent. With the same header, chunk n is the same bytes every time. */
export interface Snapshot {
  readonly header: SnapshotHeader;
  /** Encoded chunks after the first `skip`; returns what must have arrived in the end. */
  chunks(skip: number): AsyncGenerator<Buffer, SnapshotTrailer>;
}

/** What is sent, and as the leader of which term. */
export interface Cargo {
  readonly snapshot: Snapshot;
  readonly term: Term;
}

/** Where a snapshot that arrives goes. */
export interface IncomingSnapshot {
  /** Chunks that are on disk. */
  readonly received: number;
  /** Resolves when it is on disk. Rejects if it is not the one that follows, or damaged. */
  write(chunk: Buffer): Promise<void>;
  /** Rejects if something is missing. */
  finish(trailer: SnapshotTrailer): Promise<void>;
  /** Keeps what was received. */
  close(): Promise<void>;
}

/** The answer to an offer. */
export type SnapshotReception =
  | { readonly kind: "receive"; readonly incoming: IncomingSnapshot }
  | { readonly kind: "refuse"; readonly reason: string };

/** How a transfer ended. */
export type SnapshotOutcome =
  /** The peer has all of it on its disk. */
  | { readonly kind: "complete" }
  /** The peer does not want it. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Nothing more arrived for too long, or what was read here was closed. */
  | { readonly kind: "gaveUp"; readonly reason: string }
  /** What is stored here is damaged. */
  | { readonly kind: "unreadable"; readonly error: unknown }
  | { readonly kind: "cancelled" };

export interface SnapshotTransfer {
  /** Never rejects. Once it resolves, the snapshot is read no more. */
  readonly done: Promise<SnapshotOutcome>;
  /** Ends the connection at once. Does nothing when the transfer is over. */
  cancel(): void;
}
