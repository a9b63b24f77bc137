/**
 * What may leave when. Everything the node says passes through here, and nothing else decides it.
 *
 * A message may leave as soon as everything that it promises is on disk:
 *
 *   every message          the sender's term and vote: after a crash it must not act in that term as if
 *                          it had never been there (Raft Fig. 2, persistent state)
 *   appendAccepted         besides, the entries up to `match`: the leader counts them as stored
 *
 * Nobody else's promise depends on the sender's disk. A leader's term is on its disk before anyone can
 * vote for it, so its appends and heartbeats leave at once, while its own entries are still being
 * written (Diss. §10.2.1); it counts itself only once they are. Requests for votes wait, because they
 * come with a new term and a vote.
 *
 * What waits leaves with the next batch, never with one that is out already: that one was put together
 * before the message, so it may not hold what the message promises. By the time it leaves, the node may
 * have moved on to another term or replaced those entries. That is as safe as a message delayed by the
 * network: the disk has passed through, or gone beyond, the state in which it was said.
 */
import type { Message } from "./messages.ts";
import type { LogIndex } from "./types.ts";

/** What is known to be on disk. */
export interface Durable {
  /** The current term and vote. */
  readonly hardState: boolean;
  /** The log up to here. */
  readonly index: LogIndex;
}

export class Outbox {
  #messages: Message[] = [];

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  add(message: Message): void {
    this.#messages.push(message);
  }

  /** Whether anything may leave now. */
  hasReleasable(durable: Durable): boolean {
    return this.#messages.some((message) => mayLeave(message, durable));
  }

  /** Takes what may leave now, in the order in which it was added. */
  takeReleasable(durable: Durable): readonly Message[] {
    const all = this.#messages;
    if (all.every((message) => mayLeave(message, durable))) return this.takeAll();
    this.#messages = all.filter((message) => !mayLeave(message, durable));
    return all.filter((message) => mayLeave(message, durable));
  }

  /** Takes everything: it leaves with the batch that makes all of it true. */
  takeAll(): readonly Message[] {
    const all = this.#messages;
    this.#messages = [];
    return all;
  }
}

function mayLeave(message: Message, durable: Durable): boolean {
  if (!durable.hardState) return false;
  return message.kind !== "appendAccepted" || message.match <= durable.index;
}
