/** How members reach each other. */
import type { Message, NodeId, Term } from "@dkv/raft";

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
  readonly code: "notLeader" | "overloaded" | "stopping";
}

/** All that one turn has to say to one peer. */
export interface PeerFrame {
  readonly messages: readonly Message[];
  /** Commands the receiver is asked to propose, encoded. */
  readonly forwarded: readonly Uint8Array[];
  /** The receiver proposes them only as the leader of this term; 0 if there are none. */
  readonly forwardedTerm: Term;
  readonly refusals: readonly Refusal[];
}

/** A peer as seen from here. */
export interface PeerStatus {
  readonly id: NodeId;
  readonly name: string;
  readonly peerAddress: string;
  /** As the peer told us when we connected; empty if it has not. */
  readonly clientAddress: string;
  /** Milliseconds of the transport's clock at which the last frame came from it; undefined if none has. */
  readonly lastHeardMs: number | undefined;
  /** Whether frames can be sent to it. */
  readonly isConnected: boolean;
}

/** Called by the transport, never re-entrantly from `send`. */
export interface PeerEvents {
  /** A frame from a peer whose identity the handshake has proved. */
  onFrame(from: NodeId, frame: PeerFrame): void;
}

export interface PeerTransport {
  /** Listens and begins to dial. Rejects if the address cannot be had. */
  start(events: PeerEvents): Promise<void>;
  /**
   * Hands a frame to the peer's queue and returns at once whether it was taken: it is not while there is no
   * connection, when the queue is full, or when the frame is too long, and then nothing of it ever arrives.
   * Frames to one peer arrive in order or, after a broken connection, not at all: Raft repeats what matters.
   */
  send(to: NodeId, frame: PeerFrame): boolean;
  peers(): readonly PeerStatus[];
  close(): Promise<void>;
}
