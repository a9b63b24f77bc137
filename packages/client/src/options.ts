/** What can be said of each operation besides what it is to do. */
import type { DkvClientError } from "./errors.ts";
import type { LeaseRef, WatchEvent } from "./keys.ts";
import type { TlsOptions } from "./tls.ts";

export interface DkvClientOptions {
  /**
   * `host:port` of one or more members; `https://host:port` for TLS with the authorities that Node trusts.
   */
  readonly endpoints: readonly string[];
  /** TLS with these certificates. Without it and without https: cleartext. */
  readonly tls?: TlsOptions | undefined;
  /** On whose behalf everything is asked, where authentication is enabled. Use TLS with it. */
  readonly user?: User | undefined;
  /** How long one operation may take in all, retries included. 5,000 unless given. */
  readonly timeoutMs?: number | undefined;
}

/** Who has a password; who is known by a client certificate needs none here. */
export interface User {
  readonly name: string;
  readonly password: string;
}

export interface CallOptions {
  /** Ends the wait. A write may take effect all the same. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the client's. */
  readonly timeoutMs?: number | undefined;
}

export interface BackupOptions extends CallOptions {
  /**
   * Take what the member asked has, which may be behind; needs no quorum. Without it, everything acknowledged
   * before is in the backup.
   */
  readonly serializable?: boolean | undefined;
}

export interface GetOptions extends CallOptions {
  /**
   * Answer from the state of the member asked, which may be behind; a revision that it does not have yet is
   * waited for. Without it the answer is linearizable.
   */
  readonly serializable?: boolean | undefined;
  /** As it was at that revision. One that was given up is `compacted`, one to come `future_revision`. */
  readonly revision?: number | undefined;
}

/** Nothing is written unless all of them hold: the error is `precondition_failed` then. */
export interface WriteConditions {
  /** The key has this version; a missing one has 0. */
  readonly ifVersion?: number | undefined;
  /** The key was last set at this revision; 0: it is missing. Unlike a version, a revision never comes again. */
  readonly ifModRevision?: number | undefined;
}

export interface SetOptions extends CallOptions, WriteConditions {
  /** The key is deleted after so many seconds, unless it is set again before. */
  readonly ttlSeconds?: number | undefined;
  /** The lease that the key is deleted with. Not together with `ttlSeconds`. */
  readonly lease?: LeaseRef | undefined;
  /** Only if the key is missing. */
  readonly ifAbsent?: boolean | undefined;
  /** Whether the answer has what the key was before. */
  readonly returnPrevious?: boolean | undefined;
}

export interface DeleteOptions extends CallOptions, WriteConditions {
  /** Whether the answer has what the key was before. */
  readonly returnPrevious?: boolean | undefined;
}

export interface ListOptions extends GetOptions {
  /** Most keys, on all pages together; all unless given. */
  readonly limit?: number | undefined;
  /** Whether values are left out. */
  readonly keysOnly?: boolean | undefined;
}

export interface ListPageOptions extends GetOptions {
  /** Most keys of the page: 1,000 unless given, at most 2,000. */
  readonly limit?: number | undefined;
  /** Whether values are left out. */
  readonly keysOnly?: boolean | undefined;
  /** From the page before. The rest stays the same. */
  readonly pageToken?: string | undefined;
}

export interface WatchOptions {
  /** The first revision whose changes are wanted. Unless given: those to come, from {@link Watch.open} on. */
  readonly startRevision?: number | undefined;
  /** Whether events have what the key was before. */
  readonly previous?: boolean | undefined;
  /** Kinds of events that are not wanted. */
  readonly exclude?: readonly WatchEvent["kind"][] | undefined;
  /** Ends the watch, with the error `canceled`. */
  readonly signal?: AbortSignal | undefined;
  /** How long the beginning may take, instead of the client's. Later it tries for ever to go on. */
  readonly timeoutMs?: number | undefined;
  /** Is told each time that the watch has lost its member and looks for another, with the reason. */
  readonly onReconnect?: ((error: DkvClientError) => void) | undefined;
}

export interface CompactOptions extends CallOptions {
  /** Whether to wait until what was given up is removed from the member that answers. */
  readonly wait?: boolean | undefined;
}

export interface GrantOptions extends CallOptions {
  /** Its ID; a random one unless given. */
  readonly id?: bigint | undefined;
}

export interface LeaseOptions extends CallOptions {
  /** Whether the answer has the keys that are deleted with it. */
  readonly returnKeys?: boolean | undefined;
}

export interface PipeOptions {
  /** Most operations that are sent and not answered; more wait here. 256 unless given. */
  readonly maxInFlight?: number | undefined;
}

export interface LockOptions {
  /** Ends the wait; what is held by then stays held. */
  readonly signal?: AbortSignal | undefined;
  /** For how long the lock outlives a holder that is gone. 10 unless given. */
  readonly ttlSeconds?: number | undefined;
}
