/** How members reach each other. */
import type { Message, NodeId, Term } from "@dkv/raft";
import type { SnapshotHeader } from "@dkv/snapshot";
import type { PeerAddress } from "./options.ts";
import type { Snapshot, SnapshotReception, SnapshotTransfer } from "./snapshot/snapshot.ts";

/**
 * A forwarded command that will not be proposed: handed on in that term, it has had no effect. Says nothing
 * of the same command handed to the leader of another term.
 */
export interface Refusal {
  /** With the sequence, the command's id. */
  readonly proposer: bigint;
  readonly sequence: number;
  /** {@link PeerFrame.forwardedTerm} of the frame it came in. */
  readonly term: Term;
  readonly code: "notLeader" | "overloaded" | "stopping" | "diskFull";
}

/** A request to another member, or the answer to one. */
export interface PeerRequest {
  /** Chosen by the member that asks; an answer has that of its request. At most 2^53-1. */
  readonly id: number;
  /** Encoded by whoever asks or answers; the transport never looks inside. */
  readonly body: Uint8Array;
}

/** All that one turn has to say to one peer. */
export interface PeerFrame {
  readonly messages: readonly Message[];
  /** Commands the receiver is asked to propose, encoded. */
  readonly forwarded: readonly Uint8Array[];
  /** The receiver proposes them only as the leader of this term; 0 if there are none. */
  readonly forwardedTerm: Term;
  readonly refusals: readonly Refusal[];
  /** In one frame at most 1024, and 4 MiB: one with more is not taken. */
  readonly requests: readonly PeerRequest[];
  /** Bounded like the requests. */
  readonly responses: readonly PeerRequest[];
}

/** A peer as seen from here. */
export interface PeerStatus {
  readonly id: NodeId;
  readonly name: string;
  readonly peerAddress: string;
  /** As the peer told us when we connected; empty if it has not. */
  readonly clientAddress: string;
  /** The same, as URLs; none unless it told some. */
  readonly clientUrls: readonly string[];
  /** How the peer calls itself, as it told when it dialled us; empty if it has not. */
  readonly ownName: string;
  /** Of dkv, as the peer told us; empty if it has not. */
  readonly version: string;
  /** Of its data directory, as the peer told us; 0 if it has not. */
  readonly incarnation: bigint;
  /** Milliseconds of the transport's clock at which the last frame came from it; undefined if none has. */
  readonly lastHeardMs: number | undefined;
  /** Whether frames can be sent to it. */
  readonly isConnected: boolean;
}

/** Called by the transport, never re-entrantly from `send`. */
export interface PeerEvents {
  /** A frame from a peer whose identity the handshake has proved. */
  onFrame(from: NodeId, frame: PeerFrame): void;
  /**
   * A peer says that this member was removed from the cluster: one that proved its identity with a
   * certificate, unless all peers talk in clear. May be called again and again.
   */
  onRemoved(): void;
  /** As {@link onRemoved}: peers know another data directory of this member. @param reason in words */
  onDataLost(reason: string): void;
  /**
   * A peer wants to send a snapshot, as the leader of `term`. Not called again before the reception that was
   * given out last is closed. A rejection is a refusal too.
   */
  onSnapshot(from: NodeId, term: Term, header: SnapshotHeader): Promise<SnapshotReception>;
  /** All of it is finished and closed, before the peer is told. */
  onSnapshotComplete(from: NodeId, term: Term, header: SnapshotHeader): void;
}

export interface PeerTransport {
  /** Listens and begins to dial. Rejects if the address cannot be had. */
  start(events: PeerEvents): Promise<void>;
  /**
   * Hands a frame to the peer's queue and returns at once whether it was taken: it is not if there is no such
   * peer, while there is no connection, when the queue is full, or when the frame is too long, and then
   * nothing of it ever arrives. Frames to one peer arrive in order or, after a broken connection, not at
   * all: Raft repeats what matters.
   */
  send(to: NodeId, frame: PeerFrame): boolean;
  /**
   * From now on these are the peers, ourselves perhaps among them. New ones are dialled, those at another
   * address are dialled there. Those in `removed` get what is queued for them, are heard no further, and are
   * told so if they dial us. Who is in neither stays for the time being (guests.ts).
   */
  setPeers(peers: readonly PeerAddress[], removed: ReadonlySet<NodeId>): void;
  /**
   * Sends a snapshot as the leader of `term`, on a connection of its own, dialled again as often as it
   * breaks. Ends an earlier transfer to that peer. The snapshot stays the caller's, to be closed once the
   * transfer is done.
   */
  sendSnapshot(to: NodeId, snapshot: Snapshot, term: Term): SnapshotTransfer;
  peers(): readonly PeerStatus[];
  close(): Promise<void>;
}
