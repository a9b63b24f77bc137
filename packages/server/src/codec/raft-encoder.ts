/**
 * PeerFrame → dkv.peer.v1.Frame, written by hand.
 *
 * Every write passes here once for each follower, and this is several times faster than building
 * protobuf-es messages first; raft-codec.test.ts has the proof that the bytes are the same. Fields
 * are written in descending order: see {@link WireWriter}.
 */
import type { AppendEntries, Entry, EntryId, EntryKind, Message } from "@dkv/raft";
import type { PeerFrame } from "../transport/peer-transport.ts";
import { refusalCodes } from "./refusal-codes.ts";
import { requestsSizeBound, writeRequests } from "./request-codec.ts";
import { type FrameMemory, WireWriter } from "./wire-writer.ts";

/** Field numbers of RaftMessage's oneof. */
const kindFields = {
  preVoteRequest: 4,
  preVoteResponse: 5,
  voteRequest: 6,
  voteResponse: 7,
  appendEntries: 8,
  appendAccepted: 9,
  appendRejected: 10,
  heartbeat: 11,
  heartbeatResponse: 12,
  timeoutNow: 13,
  readIndexRequest: 14,
  readIndexResponse: 15,
} as const satisfies Record<Message["kind"], number>;

const entryKinds = { empty: 1, command: 2, configuration: 3 } as const satisfies Record<EntryKind, number>;

/** Bytes that no message other than its entries, and no entry other than its data, can exceed. */
const messageBound = 96;
const entryBound = 32;
const refusalBound = 48;

/** Encodes with the length in front, as it goes over the wire. */
export function encodeFrame(frame: PeerFrame, memory?: FrameMemory): Buffer {
  const writer = new WireWriter(sizeBound(frame), memory);
  writeRequests(writer, 6, frame.responses);
  writeRequests(writer, 5, frame.requests);
  writer.count(4, frame.forwardedTerm);
  backwards(frame.refusals, ({ proposer, sequence, code, term }) => {
    const end = writer.mark();
    writer.fixed64(4, proposer);
    writer.count(3, term);
    writer.bytes(2, Buffer.from(refusalCodes[code]));
    writer.count(1, sequence);
    writer.message(3, end);
  });
  backwards(frame.forwarded, (command) => {
    writer.bytes(2, command);
  });
  backwards(frame.messages, (message) => {
    const end = writer.mark();
    writeMessage(writer, message);
    writer.message(1, end);
  });
  return writer.finishFrame();
}

/** The last one first. */
function backwards<Item>(list: readonly Item[], write: (item: Item) => void): void {
  for (let at = list.length - 1; at >= 0; at -= 1) write(list[at] as Item);
}

function sizeBound({ messages, forwarded, refusals, requests, responses }: PeerFrame): number {
  let bound = 16 + messages.length * messageBound + refusals.length * refusalBound;
  bound += requestsSizeBound(requests) + requestsSizeBound(responses);
  for (const command of forwarded) bound += 8 + command.length;
  for (const message of messages) {
    if (message.kind !== "appendEntries") continue;
    for (const { data } of message.entries) bound += entryBound + data.length;
  }
  return bound;
}

function writeMessage(writer: WireWriter, message: Message): void {
  const end = writer.mark();
  writeKind(writer, message);
  writer.message(kindFields[message.kind], end);
  writer.count(3, message.term);
  writer.fixed64(2, message.to);
  writer.fixed64(1, message.from);
}

function writeKind(writer: WireWriter, message: Message): void {
  switch (message.kind) {
    case "preVoteRequest":
      writeEntryId(writer, 1, message.lastEntry);
      return;
    case "voteRequest":
      writer.flag(2, message.leadershipTransfer);
      writeEntryId(writer, 1, message.lastEntry);
      return;
    case "preVoteResponse":
    case "voteResponse":
      writer.flag(1, message.granted);
      return;
    case "appendEntries":
      writeAppendEntries(writer, message);
      return;
    case "appendAccepted":
      writer.count(1, message.match);
      return;
    case "appendRejected":
      writeEntryId(writer, 2, message.hint);
      writer.count(1, message.prevIndex);
      return;
    case "heartbeat":
      writer.count(2, message.readRound ?? 0);
      writer.count(1, message.commit);
      return;
    case "heartbeatResponse":
      writer.count(1, message.readRound ?? 0);
      return;
    case "timeoutNow":
      return;
    case "readIndexRequest":
      writer.fixed64(1, message.context);
      return;
    case "readIndexResponse":
      writer.count(2, message.index);
      writer.fixed64(1, message.context);
      return;
  }
}

function writeAppendEntries(writer: WireWriter, { prev, entries, commit }: AppendEntries): void {
  writer.count(3, commit);
  backwards(entries, (entry) => {
    writeEntry(writer, entry);
  });
  writeEntryId(writer, 1, prev);
}

function writeEntry(writer: WireWriter, { term, kind, data }: Entry): void {
  const end = writer.mark();
  if (data.length > 0) writer.bytes(3, data);
  writer.count(2, entryKinds[kind]);
  writer.count(1, term);
  writer.message(2, end);
}

function writeEntryId(writer: WireWriter, field: number, { term, index }: EntryId): void {
  const end = writer.mark();
  writer.count(2, index);
  writer.count(1, term);
  writer.message(field, end);
}
