/** What the other members say to node 1, and node 1 in the situations that the rules speak of. */
import type { RaftConfig } from "../../src/config.ts";
import { encodeConfiguration } from "../../src/configuration/codec.ts";
import type { Configuration } from "../../src/configuration/configuration.ts";
import type { AppendEntries, Message } from "../../src/messages.ts";
import type { ReceivedSnapshot } from "../../src/node.ts";
import { type EntryId, logIndex, noEntry, term } from "../../src/types.ts";
import { at, electionTicks, entries, members, n, Solo, type SoloOptions } from "../solo.ts";

export interface AppendOptions {
  readonly from?: number;
  readonly term: number;
  readonly prev?: EntryId;
  readonly terms?: readonly number[];
  readonly commit?: number;
}

/** An AppendEntries request that arrives at node 1. */
export function append(options: AppendOptions): AppendEntries {
  const prev = options.prev ?? noEntry;
  return {
    kind: "appendEntries",
    from: n(options.from ?? 2),
    to: n(1),
    term: term(options.term),
    prev,
    entries: entries(options.terms ?? [], prev.index + 1),
    commit: logIndex(options.commit ?? 0),
  };
}

export function voteRequest(from: number, ofTerm: number, lastEntry: EntryId = at(9, 9)): Message {
  return {
    kind: "voteRequest",
    from: n(from),
    to: n(1),
    term: term(ofTerm),
    lastEntry,
    leadershipTransfer: false,
  };
}

export function vote(from: number, ofTerm: number, granted = true): Message {
  return { kind: "voteResponse", from: n(from), to: n(1), term: term(ofTerm), granted };
}

export function preVote(from: number, ofTerm: number, granted = true): Message {
  return { kind: "preVoteResponse", from: n(from), to: n(1), term: term(ofTerm), granted };
}

export function heartbeat(ofTerm: number, commit = 0): Message {
  return {
    kind: "heartbeat",
    from: n(2),
    to: n(1),
    term: term(ofTerm),
    commit: logIndex(commit),
    readRound: undefined,
  };
}

export function answer(from: number, solo: Solo, readRound?: number): Message {
  return { kind: "heartbeatResponse", from: n(from), to: n(1), term: solo.status.term, readRound };
}

/** An append of one entry that says who takes part. */
export function appendConfiguration(options: AppendOptions, configuration: Configuration): AppendEntries {
  const request = append({ ...options, terms: [options.term] });
  const data = encodeConfiguration(configuration);
  return { ...request, entries: request.entries.map((one) => ({ ...one, kind: "configuration", data })) };
}

/**
 * A snapshot that has arrived at node 1, of a leader of the term of its last entry unless another is given.
 */
export function received(
  last: EntryId,
  options: { readonly from?: number; readonly term?: number; readonly configuration?: Configuration } = {},
): ReceivedSnapshot {
  const { from = 2, term: ofTerm = last.term, configuration = members([1, 2, 3]) } = options;
  return { from: n(from), term: term(ofTerm), last, configuration };
}

/** A candidate of the next term that has asked everybody. */
export function candidate(options: SoloOptions = {}): Solo {
  const solo = new Solo(options).tick(electionTicks);
  const next = solo.status.term + 1;
  for (let from = 2; solo.status.role === "preCandidate"; from += 1) solo.step(preVote(from, next));
  return solo;
}

/** A follower of node 2 in the term given. */
export function following(ofTerm: number, options: SoloOptions = {}): Solo {
  const solo = new Solo({ term: ofTerm, ...options }).step(heartbeat(ofTerm));
  solo.run();
  return solo;
}

export function leading(config: Partial<RaftConfig> = {}): Solo {
  return new Solo({ config }).elected();
}

export function only<Kind extends Message["kind"]>(
  messages: readonly Message[],
  kind: Kind,
): Extract<Message, { kind: Kind }>[] {
  return messages.filter((message): message is Extract<Message, { kind: Kind }> => message.kind === kind);
}

/** The whole log as terms, durable or not. */
export function termsOf({ node, status }: Solo): readonly (number | undefined)[] {
  return Array.from({ length: status.lastIndex }, (_, position) => node.termAt(logIndex(position + 1)));
}
