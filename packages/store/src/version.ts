/** What keys are made of, as the store holds them in memory. */
import type { ByteString } from "./bytes.ts";
import type { Revision } from "./results.ts";

/** Names a lease; 0 is none. */
export type LeaseId = bigint;

export const noLease: LeaseId = 0n;

/** Where in the history something was made: no two changes have the same place. */
export interface Place {
  readonly revision: Revision;
  /** Counts the changes of one revision from 0. */
  readonly sub: number;
}

/** All of a version but its value. */
export interface Facts {
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** With {@link modRevision} the place at which it was made. */
  readonly sub: number;
  /** Sets since creation, counting the creating one. */
  readonly version: number;
  readonly lease: LeaseId;
}

/** A key as a set has left it. */
export interface Version extends Facts {
  readonly isDeleted: false;
  readonly value: ByteString;
}

/** What a delete has left of a key. */
export interface Tombstone {
  readonly isDeleted: true;
  readonly modRevision: Revision;
  readonly sub: number;
}

export type Made = Version | Tombstone;

/** One change of one key: an event of a watch, a step of the history. */
export interface Change {
  readonly key: ByteString;
  readonly made: Made;
  /**
   * Where the version was made that the key had before the revision; undefined if it was missing then, and of
   * a set that creates it.
   */
  readonly previous: Place | undefined;
  /** The same revision changes the key again: what this has made nobody can read, but watches are told of it. */
  readonly isPassing?: true;
}

export const placeOf = ({ modRevision, sub }: Pick<Facts, "modRevision" | "sub">): Place => ({
  revision: modRevision,
  sub,
});
