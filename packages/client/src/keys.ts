/** Keys, and what a cluster says of them, in plain values. Lease IDs are bigints: they use all 64 bits. */
import type { Header } from "./results.ts";

/**
 * Which keys are meant, in the order of their UTF-8 bytes: one; all that begin so (an empty prefix: all); or
 * all from one on (without it: from the first) that come before another (without it: to the last).
 */
export type Keys =
  | { readonly key: string }
  | { readonly prefix: string }
  | { readonly from?: string | undefined; readonly before?: string | undefined };

/** A lease: its ID, or anything that has one. */
export type LeaseRef = bigint | { readonly id: bigint };

/** A key with its value and history. */
export interface KeyValue {
  /** Empty if the key is no Unicode text, as other doors of dkv can make them: then `rawKey` has it. */
  readonly key: string;
  /** Undefined if `key` has it. */
  readonly rawKey: Uint8Array | undefined;
  /** Empty if only keys were asked for. */
  readonly value: Uint8Array;
  /** Revision at which the key was last created. */
  readonly createRevision: number;
  /** Revision at which the key was last set; of a deletion, that one's. */
  readonly modRevision: number;
  /** Number of sets since the key was created, counting that one; 0 of a deletion. */
  readonly version: number;
  /** The lease that the key is deleted with, if it has one. */
  readonly lease: bigint | undefined;
}

export interface GetResult
  extends Pick<KeyValue, "value" | "createRevision" | "modRevision" | "version" | "lease"> {
  readonly header: Header;
}

export interface SetResult {
  /** What the key was before, if that was asked for and it existed. */
  readonly previous: KeyValue | undefined;
  readonly header: Header;
}

export interface DeleteResult {
  /** Whether the key was there. */
  readonly deleted: boolean;
  /** What the key was before, if that was asked for and it existed. */
  readonly previous: KeyValue | undefined;
  readonly header: Header;
}

/** Some keys, in their order. */
export interface Page {
  readonly found: readonly KeyValue[];
  /** Asks for the next page; undefined after the last. */
  readonly nextPageToken: string | undefined;
  /** Its revision is the one that all pages show. */
  readonly header: Header;
}

export interface WatchEvent {
  readonly kind: "set" | "delete";
  /** As the change has left it. Of a deletion the key and, as `modRevision`, the deletion's revision. */
  readonly kv: KeyValue;
  /** What the key was before, if that was asked for, it existed, and was not given up by a compaction. */
  readonly previous: KeyValue | undefined;
}

/** What a member has told a watch. */
export interface WatchBatch {
  /** All of one revision are together. Empty at first, and when only the revision is told. */
  readonly events: readonly WatchEvent[];
  /** Every change up to and with this revision has been told. */
  readonly revision: number;
}

export interface CompactResult {
  readonly header: Header;
}

/** A key to be read. */
export interface GetRequest {
  readonly key: string;
  readonly serializable: boolean;
  /** 0: the current one. */
  readonly revision: number;
}

/** A key to be set. Zeros and undefined: not so. */
export interface SetRequest {
  readonly key: string;
  readonly value: Uint8Array;
  readonly ttlSeconds: number;
  readonly lease: bigint;
  readonly ifVersion: number | undefined;
  readonly ifModRevision: number | undefined;
  readonly ifAbsent: boolean;
  readonly returnPrevious: boolean;
}

/** A key to be deleted. */
export type DeleteRequest = Pick<SetRequest, "key" | "ifVersion" | "ifModRevision" | "returnPrevious">;

export interface ListRequest {
  readonly keys: Keys;
  /** Most keys of the page; 0: as many as the member likes. */
  readonly limit: number;
  /** Empty for the first page. */
  readonly pageToken: string;
  readonly keysOnly: boolean;
  readonly serializable: boolean;
  /** 0: the current one. */
  readonly revision: number;
}

export interface WatchRequest {
  readonly keys: Keys;
  /** 0: changes to come. */
  readonly startRevision: number;
  readonly returnPrevious: boolean;
  readonly exclude: readonly WatchEvent["kind"][];
  /** Seconds without an event after which the member tells how far it has come. */
  readonly progressSeconds: number;
}
