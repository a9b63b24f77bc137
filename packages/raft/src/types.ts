/**
 * The vocabulary of the Raft paper, as types.
 *
 * Counts are numbers, names are bigints: terms and indices are counted and compared on every message,
 * node ids are opaque and only ever compared for equality.
 */

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Identity of a participant; never reused, even after removal. Compare it, never compute with it. */
export type NodeId = Branded<bigint, "NodeId">;

/** Election period; 0 before the first election. Source: Raft §5.1. */
export type Term = Branded<number, "Term">;

/** Position in the log, counted from 1; 0 means "before the first entry". Source: Raft §5.3. */
export type LogIndex = Branded<number, "LogIndex">;

/**
 * Names one round of linearizable reads. Chosen by the caller and never used again, by any process:
 * draw the start at random when the process starts and count from there. Never 0.
 */
export type ReadContext = Branded<bigint, "ReadContext">;

/**
 * Names one entry for ever: logs that share an EntryId are equal up to it. Source: Raft §5.3, Log Matching.
 */
export interface EntryId {
  readonly term: Term;
  readonly index: LogIndex;
}

/** What an entry is for: nothing (a new leader's first), the state machine, or the configuration. */
export type EntryKind = "empty" | "command" | "configuration";

/** One slot of the log. Its bytes are the caller's; the core never looks inside. */
export interface Entry extends EntryId {
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/** What a node must remember over a restart. Source: Raft Fig. 2, persistent state. */
export interface HardState {
  readonly term: Term;
  readonly votedFor: NodeId | undefined;
  /** A hint that saves work at restart; safe to lose. */
  readonly commit: LogIndex;
}

/** The role a node plays now. */
export type RoleName = "follower" | "preCandidate" | "candidate" | "leader";

export const nodeId = (value: bigint): NodeId => value as NodeId;
export const readContext = (value: bigint): ReadContext => value as ReadContext;

/** Checks and brands a term that came from outside. Throws RangeError if it is not a count. */
export function term(value: number): Term {
  return count(value, "term") as Term;
}

/** Checks and brands a log index that came from outside. Throws RangeError if it is not a count. */
export function logIndex(value: number): LogIndex {
  return count(value, "log index") as LogIndex;
}

function count(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`a ${what} is a whole number from 0 to 2^53-1, not ${String(value)}`);
  }
  return value;
}

/** What stands before the first entry of every log. */
export const noEntry: EntryId = { term: 0 as Term, index: 0 as LogIndex };

/** The term after `current`. */
export function nextTerm(current: Term): Term {
  return (current + 1) as Term;
}

/** The index `distance` places after `index`. */
export function indexAfter(index: LogIndex, distance = 1): LogIndex {
  return (index + distance) as LogIndex;
}

/** The index just before `index`, which must not be 0. */
export function indexBefore(index: LogIndex): LogIndex {
  return (index - 1) as LogIndex;
}

/** The smaller of two indices. */
export function minIndex(a: LogIndex, b: LogIndex): LogIndex {
  return a < b ? a : b;
}

/** The larger of two indices. */
export function maxIndex(a: LogIndex, b: LogIndex): LogIndex {
  return a > b ? a : b;
}
