/**
 * dkv.peer.v1.Frame → PeerFrame, by hand for the reason that raft-encoder.ts gives.
 *
 * Strict: what the core takes for granted is checked here, so that a peer which talks nonsense is cut
 * off and never reaches an assertion. Fields and kinds of messages of a later version are passed over: while
 * members are upgraded one by one, the newer ones may say more than the others understand.
 */
import {
  type Entry,
  type EntryId,
  type EntryKind,
  type LogIndex,
  type Message,
  type NodeId,
  type ReadContext,
  type Term,
  logIndex,
  noEntry,
  nodeId,
  readContext,
  term,
} from "@dkv/raft";
import type { PeerFrame, PeerRequest, Refusal } from "../transport/peer-transport.ts";
import { DecodeError } from "./decode-error.ts";
import { refusalCode } from "./refusal-codes.ts";
import { readRequest, type RequestList } from "./request-codec.ts";
import {
  eightBytes1,
  eightBytes2,
  eightBytes4,
  message1,
  message2,
  message3,
  message5,
  message6,
  number1,
  number2,
  number3,
  number4,
} from "./tags.ts";
import { checkedEntryCount, WireReader } from "./wire-reader.ts";

/** Between whom a frame travels: known from the connection, so that nobody speaks for another. */
export interface Route {
  readonly from: NodeId;
  readonly to: NodeId;
}

/** Things of any sort in one frame: without a bound, small ones could take many times the frame's memory. */
const maxItems = 2 ** 20;

/** Nearly every frame has no requests. */
const none: readonly PeerRequest[] = [];

/** Told what was passed over, in words; the same words for the same thing. */
export type OnPassedOver = (what: string) => void;

/**
 * Decodes a frame without its length header. Entries' data, forwarded commands and the bodies of requests
 * are views into `bytes`, which must not change any more. Throws a DecodeError.
 */
export function decodeFrame(bytes: Uint8Array, route: Route, onPassedOver?: OnPassedOver): PeerFrame {
  const reader = new WireReader(bytes);
  const messages: Message[] = [];
  const forwarded: Uint8Array[] = [];
  const refusals: Refusal[] = [];
  let requests: RequestList | undefined;
  let responses: RequestList | undefined;
  let forwardedTerm = noEntry.term;
  let items = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    items += 1;
    if (tag === message1) {
      const message = readMessage(reader, route, maxItems - items);
      if (message.kind === "appendEntries") items += message.entries.length;
      if (message.kind === "passedOver") onPassedOver?.(`messages with field ${String(message.field)}`);
      else messages.push(message);
    } else if (tag === message2) forwarded.push(reader.bytes());
    else if (tag === message3) refusals.push(readRefusal(reader));
    else if (tag === number4) forwardedTerm = readTerm(reader);
    else if (tag === message5) requests = readRequest(reader, requests);
    else if (tag === message6) responses = readRequest(reader, responses);
    else {
      reader.skip(tag);
      onPassedOver?.(`frames with field ${String(Math.floor(tag / 8))}`);
    }
    if (items > maxItems) throw new DecodeError(`a frame holds more than ${String(maxItems)} things`);
  }
  return {
    messages,
    forwarded,
    forwardedTerm,
    refusals,
    requests: requests?.items ?? none,
    responses: responses?.items ?? none,
  };
}

function readRefusal(reader: WireReader): Refusal {
  const outer = reader.enter();
  let proposer = 0n;
  let sequence = 0;
  let refusedTerm = noEntry.term;
  let code = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === number1) sequence = reader.count();
    else if (tag === message2) code = Buffer.from(reader.bytes()).toString("latin1");
    else if (tag === number3) refusedTerm = readTerm(reader);
    else if (tag === eightBytes4) proposer = reader.fixed64();
    else reader.skip(tag);
  }
  reader.leave(outer);
  if (sequence > 0xffff_ffff) throw new DecodeError("a refusal's sequence is above 2^32-1");
  return { proposer, sequence, term: refusedTerm, code: refusalCode(code) };
}

/** A message of a kind that this version does not know, if that is what its unknown field stands for. */
interface PassedOver {
  readonly kind: "passedOver";
  readonly field: number;
}

function readMessage(reader: WireReader, { from, to }: Route, maxEntries: number): Message | PassedOver {
  const outer = reader.enter();
  let actualFrom = 0n;
  let actualTo = 0n;
  let messageTerm = noEntry.term;
  let kind = 0;
  let body = emptyBody;
  let unknownField = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === eightBytes1) actualFrom = reader.fixed64();
    else if (tag === eightBytes2) actualTo = reader.fixed64();
    else if (tag === number3) messageTerm = readTerm(reader);
    else if (isKindTag(tag) && kind === 0) {
      kind = (tag - lengthDelimited) / 8;
      body = kind === appendEntriesField ? readAppendEntries(reader, maxEntries) : readBody(reader);
    } else if (isKindTag(tag)) throw new DecodeError("a message is of two kinds");
    else {
      reader.skip(tag);
      unknownField = Math.floor(tag / 8);
    }
  }
  reader.leave(outer);
  if (nodeId(actualFrom) !== from || nodeId(actualTo) !== to)
    throw new DecodeError("a message's sender or receiver is not the connection's");
  if (kind === 0 && unknownField > lastKindField) return { kind: "passedOver", field: unknownField };
  return assemble(kind, { from, to, term: messageTerm }, body);
}

const lengthDelimited = 2;
const firstKindField = 4;
const appendEntriesField = 8;
const lastKindField = 15;

/** Without bit operations: a tag may have more than 32 bits, and they would make another one of it. */
const isKindTag = (tag: number): boolean =>
  tag % 8 === lengthDelimited && tag >= firstKindField * 8 && tag < (lastKindField + 1) * 8;

/** The fields of every kind, by number and wire type. A kind picks those that it has. */
interface Body {
  readonly number1: LogIndex;
  readonly number2: LogIndex;
  readonly number3: LogIndex;
  readonly context1: ReadContext;
  readonly id1: EntryId;
  readonly id2: EntryId;
  readonly entries: readonly Entry[];
}

const emptyBody: Body = {
  number1: noEntry.index,
  number2: noEntry.index,
  number3: noEntry.index,
  context1: readContext(0n),
  id1: noEntry,
  id2: noEntry,
  entries: [],
};

function readBody(reader: WireReader): Body {
  const outer = reader.enter();
  let { number1: first, number2: second, context1, id1, id2 } = emptyBody;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === number1) first = readIndex(reader);
    else if (tag === number2) second = readIndex(reader);
    else if (tag === eightBytes1) context1 = readContext(reader.fixed64());
    else if (tag === message1) id1 = readEntryId(reader);
    else if (tag === message2) id2 = readEntryId(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  const { number3, entries } = emptyBody;
  return { number1: first, number2: second, number3, context1, id1, id2, entries };
}

function readEntryId(reader: WireReader): EntryId {
  const outer = reader.enter();
  let { term: idTerm, index } = noEntry;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === number1) idTerm = readTerm(reader);
    else if (tag === number2) index = readIndex(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { term: idTerm, index };
}

function readAppendEntries(reader: WireReader, maxEntries: number): Body {
  const outer = reader.enter();
  let prev = noEntry;
  let commit = noEntry.index;
  let last = noEntry;
  const entries: Entry[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === message2) {
      const entry = readEntry(reader, last);
      if (entries.push(entry) > maxEntries) throw new DecodeError("a message holds too many entries");
      last = entry;
    } else if (tag === message1) {
      // Every encoder writes fields by number; relying on it lets entries be numbered as they are read.
      if (entries.length > 0) throw new DecodeError("entries stand before the one that they follow");
      prev = readEntryId(reader);
      last = prev;
    } else if (tag === number3) commit = readIndex(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  const { number1: first, number2: second, context1, id2 } = emptyBody;
  return { number1: first, number2: second, number3: commit, context1, id1: prev, id2, entries };
}

function readEntry(reader: WireReader, before: EntryId): Entry {
  const outer = reader.enter();
  let entryTerm = noEntry.term;
  let kind = 0;
  let data = noBytes;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === number1) entryTerm = readTerm(reader);
    else if (tag === number2) kind = reader.count();
    else if (tag === message3) data = reader.bytes();
    else reader.skip(tag);
  }
  reader.leave(outer);
  if (entryTerm < before.term) throw new DecodeError("an entry's term is below that of the one before");
  return {
    term: entryTerm,
    index: logIndex(checkedEntryCount(before.index + 1)),
    kind: entryKind(kind),
    data,
  };
}

const noBytes: Uint8Array = new Uint8Array(0);

function readTerm(reader: WireReader): Term {
  return term(reader.entryCount());
}

function readIndex(reader: WireReader): LogIndex {
  return logIndex(reader.entryCount());
}

function entryKind(kind: number): EntryKind {
  switch (kind) {
    case 1:
      return "empty";
    case 2:
      return "command";
    case 3:
      return "configuration";
    default:
      throw new DecodeError("an entry is of an unknown kind");
  }
}

type Envelope = Pick<Message, "from" | "to" | "term">;

/** Field by field: this runs for every message, and spreading would take several times as long. */
function assemble(kindField: number, { from, to, term: inTerm }: Envelope, body: Body): Message {
  const granted = body.number1 !== 0;
  switch (kindField) {
    case 4:
      return { kind: "preVoteRequest", from, to, term: inTerm, lastEntry: body.id1 };
    case 5:
      return { kind: "preVoteResponse", from, to, term: inTerm, granted };
    case 6: {
      const leadershipTransfer = body.number2 !== 0;
      return { kind: "voteRequest", from, to, term: inTerm, lastEntry: body.id1, leadershipTransfer };
    }
    case 7:
      return { kind: "voteResponse", from, to, term: inTerm, granted };
    case appendEntriesField: {
      const { id1: prev, entries, number3: commit } = body;
      const newest = entries.at(-1) ?? prev;
      if (newest.term > inTerm) throw new DecodeError("an entry's term is above that of the message");
      return { kind: "appendEntries", from, to, term: inTerm, prev, entries, commit };
    }
    case 9:
      return { kind: "appendAccepted", from, to, term: inTerm, match: body.number1 };
    case 10: {
      const { number1: prevIndex, id2: hint } = body;
      return { kind: "appendRejected", from, to, term: inTerm, prevIndex, hint };
    }
    case 11: {
      const { number1: commit, number2: round } = body;
      return { kind: "heartbeat", from, to, term: inTerm, commit, readRound: optionalRound(round) };
    }
    case 12:
      return { kind: "heartbeatResponse", from, to, term: inTerm, readRound: optionalRound(body.number1) };
    case 13:
      return { kind: "timeoutNow", from, to, term: inTerm };
    case 14: {
      const context = requiredContext(body.context1);
      return { kind: "readIndexRequest", from, to, term: inTerm, context };
    }
    case 15: {
      const context = requiredContext(body.context1);
      return { kind: "readIndexResponse", from, to, term: inTerm, context, index: body.number2 };
    }
    default:
      throw new DecodeError("a message is of no known kind");
  }
}

function optionalRound(round: number): number | undefined {
  return round === 0 ? undefined : round;
}

function requiredContext(context: ReadContext): ReadContext {
  if (context === 0n) throw new DecodeError("a read has no context");
  return context;
}
