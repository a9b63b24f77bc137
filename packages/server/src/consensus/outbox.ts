/** What one turn has to say, gathered into one frame for each peer. */
import { type Message, type NodeId, noEntry, type Term } from "@dkv/raft";
import type { PeerRequest, PeerTransport, Refusal } from "../transport/peer-transport.ts";

interface Draft {
  readonly messages: Message[];
  forwarded: readonly Uint8Array[];
  forwardedTerm: Term;
  readonly refusals: Refusal[];
  readonly requests: PeerRequest[];
  readonly responses: PeerRequest[];
}

const nobody: ReadonlySet<NodeId> = new Set();

export class Outbox {
  readonly #drafts = new Map<NodeId, Draft>();

  messages(list: readonly Message[]): void {
    for (const message of list) this.#draft(message.to).messages.push(message);
  }

  /** Asks `to` to propose the commands as the leader of `term`. Once a turn. */
  forward(to: NodeId, term: Term, commands: readonly Uint8Array[]): void {
    const draft = this.#draft(to);
    draft.forwarded = commands;
    draft.forwardedTerm = term;
  }

  refuse(to: NodeId, refusal: Refusal): void {
    this.#draft(to).refusals.push(refusal);
  }

  request(to: NodeId, request: PeerRequest): void {
    this.#draft(to).requests.push(request);
  }

  respond(to: NodeId, response: PeerRequest): void {
    this.#draft(to).responses.push(response);
  }

  /** Sends everything. Returns the peers whose frame was not taken, and so never leaves. */
  flush(transport: PeerTransport): ReadonlySet<NodeId> {
    if (this.#drafts.size === 0) return nobody;
    let notTaken: Set<NodeId> | undefined;
    for (const [to, draft] of this.#drafts) {
      if (transport.send(to, draft)) continue;
      notTaken ??= new Set();
      notTaken.add(to);
    }
    this.#drafts.clear();
    return notTaken ?? nobody;
  }

  #draft(to: NodeId): Draft {
    let draft = this.#drafts.get(to);
    if (draft === undefined) {
      draft = {
        messages: [],
        forwarded: [],
        forwardedTerm: noEntry.term,
        refusals: [],
        requests: [],
        responses: [],
      };
      this.#drafts.set(to, draft);
    }
    return draft;
  }
}
