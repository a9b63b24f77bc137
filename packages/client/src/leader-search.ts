import { abortable } from "./abortable.ts";
import type { MemberCalls } from "./calls.ts";
import { limitedSignal } from "./platform/time.ts";
import type { Route } from "./route.ts";

/** How long to look for a shorter way to the leader at most. */
const searchTimeoutMs = 1000;

/** Asks a member who leads. Operations that want to know at the same time share one question. */
export class LeaderSearch {
  readonly #route: Route;
  readonly #closed: AbortSignal;
  #running: Promise<void> | undefined;

  constructor(deps: { readonly route: Route; readonly closed: AbortSignal }) {
    this.#route = deps.route;
    this.#closed = deps.closed;
  }

  /** The route knows the answer when this returns. @throws DkvClientError, or the signal's reason */
  async run(calls: MemberCalls, signal: AbortSignal): Promise<void> {
    this.#running ??= this.#ask(calls).finally(() => {
      this.#running = undefined;
    });
    await abortable(this.#running, signal);
  }

  async #ask(calls: MemberCalls): Promise<void> {
    const { members } = await calls.members({
      signal: limitedSignal(searchTimeoutMs, [this.#closed]),
      timeoutMs: searchTimeoutMs,
    });
    this.#route.learn(members);
  }
}
