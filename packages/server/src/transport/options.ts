/** What the peer transport needs to know and to be given. */
import type { NodeId } from "@dkv/raft";
import type { Logger } from "pino";
import type { ListenAddress } from "../platform/address.ts";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import type { TlsPaths } from "../platform/tls-files.ts";
import type { BackoffLimits } from "./backoff.ts";

export interface PeerAddress {
  readonly id: NodeId;
  readonly name: string;
  /** host:port; a name is resolved at each dial. */
  readonly peerAddress: string;
  /** Of its data directory, 0 if it is not known: one that comes with another has lost its data. */
  readonly incarnation: bigint;
}

/** A member that asks who it is, as its peers know it. */
export type KnownMember =
  | {
      readonly kind: "learner";
      readonly memberId: NodeId;
      /** host:port. */
      readonly peerAddress: string;
      /** The newest one, as `encodeConfiguration` of @dkv/raft gives it. */
      readonly configuration: Uint8Array;
    }
  /** It has voted, or may have: if it does not know who it is, its data is gone, and its votes with it. */
  | { readonly kind: "voter"; readonly memberId: NodeId; readonly peerAddress: string }
  /** Nothing is certain of it now, but may be later: the reason is for whoever waits. */
  | { readonly kind: "uncertain"; readonly reason: string };

/** Who asks who it is. */
export interface Newcomer {
  readonly name: string;
  /** host:port; empty if it does not say. */
  readonly peerAddress: string;
}

export interface TransportOptions {
  readonly self: {
    readonly id: NodeId;
    readonly name: string;
    readonly clientAddress: string;
    /** The same, as URLs, if it was told some. */
    readonly clientUrls?: readonly string[];
    /** Of our data directory. */
    readonly incarnation: bigint;
  };
  readonly clusterId: bigint;
  readonly listenAddresses: readonly ListenAddress[];
  /** All other members, to begin with. */
  readonly peers: readonly PeerAddress[];
  /** Cleartext if there is none; needs a CA. */
  readonly tls: TlsPaths | undefined;
  /** Longer frames are neither sent nor accepted. */
  readonly maxFrameBytes: number;
  /**
   * While so many bytes wait for one peer, frames to it are dropped. By default as many as one frame may
   * have.
   */
  readonly maxQueueBytes?: number;
  /**
   * Looks up a member by its name, or by its peer address if it was added without one, to tell it who it is;
   * undefined if there is none. Without this nobody is introduced.
   */
  readonly introduce?: (newcomer: Newcomer) => KnownMember | undefined;
  /**
   * Whether this member needs to be found by members of which it does not know: it follows nobody. Without
   * this strangers are always turned away.
   */
  readonly isLost?: () => boolean;
  /** Of the cluster, as far as this member has applied it; 0 before it has one. */
  readonly history: () => bigint;
  /** How fast snapshots leave this member, all together. 32 MiB unless said otherwise. */
  readonly snapshotBytesPerSecond?: number;
  /** A snapshot of which nothing more arrives for so long is given up. A minute unless said otherwise. */
  readonly snapshotPatienceMs?: number;
  readonly timing?: Partial<Timing>;
}

export interface Timing {
  /** From connecting to the end of the greeting, TLS included. */
  readonly handshakeMs: number;
  /** How often each side lets the other know that it lives. */
  readonly pingMs: number;
  /** A connection on which nothing came for so long is given up. */
  readonly silenceMs: number;
  readonly backoff: BackoffLimits;
}

/** Pings are several to the shortest sensible election timeout: who is reachable is read off them. */
export const defaultTiming: Timing = {
  handshakeMs: 5_000,
  pingMs: 250,
  silenceMs: 5_000,
  backoff: { firstMs: 50, maxMs: 2_000 },
};

export const defaultSnapshotBytesPerSecond = 32 * 2 ** 20;

export const defaultSnapshotPatienceMs = 60_000;

export interface TransportDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
