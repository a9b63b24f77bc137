/**
 * Questions to other members, and their answers. A question is asked once: if the link loses it or its
 * answer, the asker's time runs out.
 *
 *   ask ─▶ outbox ─▶ link ─▶ the other member's `answer` ─▶ outbox ─▶ link ─▶ the promise
 */
import type { NodeId } from "@dkv/raft";
import type { Clock } from "../platform/clock.ts";
import type { PeerFrame, PeerRequest } from "../transport/peer-transport.ts";
import type { Guard } from "./guard.ts";
import type { Outbox } from "./outbox.ts";

/** Answers being worked on for others; what comes above is not answered. */
const maxAnswering = 256;

export interface PeerRequestsDeps {
  readonly outbox: Outbox;
  readonly clock: Clock;
  /** Something waits in the outbox. */
  readonly schedule: () => void;
  /** Answers another member's question. */
  readonly answer: (body: Uint8Array) => Promise<Uint8Array>;
  /** Is told when there is no answer, not even a refusal. */
  readonly guard: Pick<Guard, "fail">;
}

export type Reply =
  | { readonly kind: "answer"; readonly body: Uint8Array }
  /** It never left. */
  | { readonly kind: "notSent" }
  /** Nothing came in time: what became of it is not known. */
  | { readonly kind: "silence" };

interface Asked {
  readonly to: NodeId;
  readonly settle: (reply: Reply) => void;
}

export class PeerRequests {
  readonly #deps: PeerRequestsDeps;
  readonly #asked = new Map<number, Asked>();
  /** Asked in the turn that is going on: the frame may not leave. */
  #leaving: number[] = [];
  #lastId = 0;
  #answering = 0;

  constructor(deps: PeerRequestsDeps) {
    this.#deps = deps;
  }

  /** Never rejects. */
  ask(to: NodeId, body: Uint8Array, timeoutMs: number): Promise<Reply> {
    const { outbox, clock, schedule } = this.#deps;
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      const cancel = clock.after(timeoutMs, () => {
        this.#settle(id, { kind: "silence" });
      });
      const settle = (reply: Reply): void => {
        cancel();
        resolve(reply);
      };
      this.#asked.set(id, { to, settle });
      this.#leaving.push(id);
      outbox.request(to, { id, body });
      schedule();
    });
  }

  /** Takes the questions and answers out of a peer's frame. */
  received(from: NodeId, { requests, responses }: PeerFrame): void {
    for (const { id, body } of responses)
      if (this.#asked.get(id)?.to === from) this.#settle(id, { kind: "answer", body });
    for (const request of requests) this.#answer(from, request);
  }

  /** The turn's frames were handed to the links, which did not take those to the peers in `notTaken`. */
  flushed(notTaken: ReadonlySet<NodeId>): void {
    if (this.#leaving.length === 0) return;
    for (const id of this.#leaving) {
      const asked = this.#asked.get(id);
      if (asked !== undefined && notTaken.has(asked.to)) this.#settle(id, { kind: "notSent" });
    }
    this.#leaving = [];
  }

  #answer(from: NodeId, { id, body }: PeerRequest): void {
    if (this.#answering >= maxAnswering) return;
    const { outbox, schedule, answer, guard } = this.#deps;
    this.#answering += 1;
    answer(body)
      .then((response) => {
        this.#answering -= 1;
        outbox.respond(from, { id, body: response });
        schedule();
      })
      .catch((error: unknown) => {
        guard.fail(error);
      });
  }

  #settle(id: number, reply: Reply): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.settle(reply);
  }
}
