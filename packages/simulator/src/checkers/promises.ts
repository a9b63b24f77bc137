/**
 * Promises: nothing leaves a process before what it says is on its disk. Source: Raft Fig. 2, "updated on
 * stable storage before responding to RPCs". A crash would show a broken one only if it came at the right
 * moment; this looks at every message.
 */
import type { HardState, LogIndex, Message } from "@dkv/raft";
import { SafetyViolation } from "./truth.ts";

/** What the sender's disk holds as the message leaves. */
export interface OnDisk {
  readonly hardState: HardState;
  readonly lastIndex: LogIndex;
}

export function checkPromise(message: Message, { hardState, lastIndex }: OnDisk): void {
  const { kind, term } = message;
  // A pre-vote promises nothing, and names a term that nobody is in.
  if (kind === "preVoteRequest" || kind === "preVoteResponse") return;
  const where = `a ${kind} of term ${String(term)} left`;
  if (hardState.term < term) throw new SafetyViolation(`${where} before that term was on disk`);
  // One of an earlier term may leave after a later leader has replaced what it speaks of. It does no harm:
  // that leader was elected by a majority without the entry, so no majority can have it.
  if (kind === "appendAccepted" && hardState.term === term && message.match > lastIndex)
    throw new SafetyViolation(
      `${where} for entry ${String(message.match)}, and the disk ends at ${String(lastIndex)}`,
    );
  const votedFor =
    kind === "voteRequest"
      ? message.from
      : kind === "voteResponse" && message.granted
        ? message.to
        : undefined;
  if (votedFor !== undefined && hardState.term === term && hardState.votedFor !== votedFor)
    throw new SafetyViolation(`${where} before that vote was on disk`);
}
