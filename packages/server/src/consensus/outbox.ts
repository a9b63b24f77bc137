/** What one turn has to say, gathered into one frame for each peer. */
import { type Message, type NodeId, noEntry, type Term } from "@dkv/raft";
import type { PeerTransport, Refusal } from "../transport/peer-transport.ts";

interface Draft {
  readonly messages: Message[];
  readonly forwarded: Uint8Array[];
  forwardedTerm: Term;
  readonly refusals: Refusal[];
}

export class Outbox {
  readonly #drafts = new Map<NodeId, Draft>();

  messages(list: readonly Message[]): void {
    for (const message of list) this.#draft(message.to).messages.push(message);
  }

  /** Asks `to` to propose the commands as the leader of `term`. */
  forward(to: NodeId, term: Term, commands: readonly Uint8Array[]): void {
    const draft = this.#draft(to);
    draft.forwarded.push(...commands);
    draft.forwardedTerm = term;
  }

  refuse(to: NodeId, refusal: Refusal): void {
    this.#draft(to).refusals.push(refusal);
  }

  flush(transport: PeerTransport): void {
    if (this.#drafts.size === 0) return;
    for (const [to, draft] of this.#drafts) transport.send(to, draft);
    this.#drafts.clear();
  }

  #draft(to: NodeId): Draft {
    let draft = this.#drafts.get(to);
    if (draft === undefined) {
      draft = { messages: [], forwarded: [], forwardedTerm: noEntry.term, refusals: [] };
      this.#drafts.set(to, draft);
    }
    return draft;
  }
}
