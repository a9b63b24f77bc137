/** One operation from its first attempt to its last. */
import type { CallLimits, MemberCalls } from "./calls.ts";
import type { ConnectFailure } from "./connect-failure.ts";
import { NotConnected } from "./connection.ts";
import { type Endpoint, formatEndpoint } from "./endpoints.ts";
import { DkvClientError } from "./errors.ts";
import { type AttemptFailure, isPassing, summarize } from "./failures.ts";
import type { LeaderSearch } from "./leader-search.ts";
import type { MemberDoors } from "./member.ts";
import { jittered, limitedSignal, nowMs, sleep } from "./platform/time.ts";
import { backoffMs, type Effect, formatDuration, isWorthRepeating } from "./retry.ts";
import { isSame, type Route } from "./route.ts";

export interface Operation<Result> {
  /** For messages. */
  readonly name: string;
  readonly effect: Effect;
  /** It takes as long as it is given: a member that is asked gets all of the time that is left. */
  readonly isLong?: boolean;
  call(calls: MemberCalls, limits: AttemptLimits): Promise<Result>;
}

export interface AttemptLimits extends CallLimits {
  /** Whether an earlier attempt may have taken effect. */
  readonly isRepeated: boolean;
}

export interface OperationDeps {
  readonly route: Route;
  readonly doors: MemberDoors;
  readonly search: LeaderSearch;
  /** Aborted when the client is closed. */
  readonly closed: AbortSignal;
}

export interface OperationLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** How long endpoints may all refuse connections before the operation gives up: long enough for a restart. */
const connectPatienceMs = 500;
/** How long a shorter way to the leader may take to make at most. */
const detourTimeoutMs = 1000;
/** An attempt with less time than this would only turn a refused write into an unknown one. */
const leastAttemptMs = 100;
/**
 * The member is told a little less time than there is, so that its own account of a timeout arrives: it looks
 * at its clock with each heartbeat, every 100 ms unless told otherwise.
 */
const headroomMs = 250;

/** A request is not sent when its time is over: nobody would hear what became of it. */
const noTimeLeft: ConnectFailure = { code: "no_answer", phrase: "no time was left to ask", isPassing: true };

/** Runs an operation until it succeeds, must not be repeated, or is out of time. @throws DkvClientError */
export async function perform<Result>(
  deps: OperationDeps,
  operation: Operation<Result>,
  limits: OperationLimits,
): Promise<Result> {
  return new Attempts(deps, operation, limits).run();
}

class Attempts<Result> {
  readonly #deps: OperationDeps;
  readonly #operation: Operation<Result>;
  readonly #limits: OperationLimits;
  readonly #startedMs = nowMs();
  readonly #stops: readonly AbortSignal[];
  /** Whether an attempt that failed may have taken effect all the same. */
  #isOpen = false;

  constructor(deps: OperationDeps, operation: Operation<Result>, limits: OperationLimits) {
    this.#deps = deps;
    this.#operation = operation;
    this.#limits = limits;
    this.#stops = limits.signal === undefined ? [deps.closed] : [deps.closed, limits.signal];
  }

  async run(): Promise<Result> {
    try {
      return await this.#rounds();
    } catch (error) {
      if (!this.#isOpen || !(error instanceof DkvClientError) || error.retry === "outcomeUnknown")
        throw error;
      const { code, message, compactRevision } = error;
      throw new DkvClientError(
        { code, retry: "outcomeUnknown", compactRevision },
        `${message}; an earlier attempt may have taken effect`,
        { cause: error },
      );
    }
  }

  async #rounds(): Promise<Result> {
    let refusal: AttemptFailure | undefined;
    for (let round = 0; ; round += 1) {
      const outcome = await this.#round();
      if (outcome.kind === "done") return outcome.result;
      const { failures } = outcome;
      refusal =
        failures.findLast(isExplained) ?? refusal ?? failures.findLast(({ kind }) => kind === "refused");
      const pauseMs = jittered(backoffMs(round));
      if (this.#elapsedMs() + pauseMs + leastAttemptMs >= this.#patienceMs(failures)) {
        throw summarize(refusal === undefined ? failures : [refusal], this.#elapsedMs());
      }
      await sleep(pauseMs, AbortSignal.any([...this.#stops])).catch(() => {
        this.#throwIfStopped("notApplied");
      });
    }
  }

  async #round(): Promise<
    { kind: "done"; result: Result } | { kind: "failed"; failures: readonly AttemptFailure[] }
  > {
    const { route } = this.#deps;
    const failures: AttemptFailure[] = [];
    const endpoints = this.#isWrite() ? route.forWrites() : route.forReads();
    for (const [position, endpoint] of endpoints.entries()) {
      if (this.#remainingMs() <= 0) break;
      // A member that is silent must leave time to ask the others.
      const shareMs = this.#remainingMs() / (endpoints.length - position);
      const attempt = await this.#attempt(endpoint, shareMs);
      if (attempt.kind === "done") return attempt;
      failures.push(attempt);
    }
    return { kind: "failed", failures };
  }

  async #attempt(
    endpoint: Endpoint,
    shareMs: number,
  ): Promise<{ kind: "done"; result: Result } | AttemptFailure> {
    const { route } = this.#deps;
    const startedMs = nowMs();
    try {
      const calls = await this.#open(endpoint, shareMs);
      const way =
        this.#isWrite() && route.isStale
          ? await this.#wayToLeader({ endpoint, calls }, shareMs / 2)
          : { endpoint, calls };
      // What must not be repeated has no use for time to ask others.
      const isLast = this.#operation.effect === "once" || this.#operation.isLong === true;
      const limitMs = isLast ? this.#remainingMs() : shareMs - (nowMs() - startedMs);
      if (limitMs < 1) return { kind: "notConnected", endpoint, failure: noTimeLeft, cause: undefined };
      const result = await this.#call(way, limitMs);
      route.answered(endpoint);
      return { kind: "done", result };
    } catch (error) {
      if (error instanceof NotConnected) {
        route.failed(endpoint);
        return { kind: "notConnected", endpoint, failure: error.failure, cause: error };
      }
      if (
        !(error instanceof DkvClientError) ||
        this.#isStopped() ||
        !isWorthRepeating(error, this.#operation.effect)
      )
        throw error;
      if (this.#isWrite() && error.retry === "outcomeUnknown") this.#isOpen = true;
      route.doubt();
      return { kind: "refused", endpoint, error };
    }
  }

  /** @throws NotConnected, also when it takes too long */
  async #open(endpoint: Endpoint, limitMs: number): Promise<MemberCalls> {
    const signal = limitedSignal(limitMs, this.#stops);
    try {
      return await this.#deps.doors.at(endpoint).open(signal);
    } catch (error) {
      this.#throwIfStopped("notApplied");
      if (!signal.aborted || error instanceof NotConnected) throw error;
      throw new NotConnected(
        { code: "no_answer", phrase: `no answer within ${formatDuration(limitMs)}`, isPassing: true },
        { cause: error },
      );
    }
  }

  /** Asks who leads and goes there if it can. Falls back to the member that was asked, which forwards. */
  async #wayToLeader(asked: Way, limitMs: number): Promise<Way> {
    const { route, search } = this.#deps;
    const timeoutMs = Math.min(limitMs, detourTimeoutMs);
    try {
      await search.run(asked.calls, limitedSignal(timeoutMs, this.#stops));
    } catch {
      this.#throwIfStopped("notApplied");
      return asked;
    }
    const { leader } = route;
    if (leader === undefined || isSame(leader, asked.endpoint)) return asked;
    try {
      return { endpoint: leader, calls: await this.#open(leader, timeoutMs) };
    } catch (error) {
      if (!(error instanceof NotConnected)) throw error;
      route.failed(leader);
      return asked;
    }
  }

  async #call({ endpoint, calls }: Way, limitMs: number): Promise<Result> {
    const signal = limitedSignal(limitMs, this.#stops);
    const timeoutMs = limitMs - Math.min(headroomMs, limitMs / 4);
    try {
      return await this.#operation.call(calls, { signal, timeoutMs, isRepeated: this.#isOpen });
    } catch (error) {
      if (!signal.aborted) throw error;
      this.#throwIfStopped("outcomeUnknown");
      this.#deps.doors.at(endpoint).distrust();
      const outcome = this.#isWrite() ? "; it may or may not have taken effect" : "";
      throw new DkvClientError(
        { code: "deadline_exceeded", retry: this.#isWrite() ? "outcomeUnknown" : "notApplied" },
        `${formatEndpoint(endpoint)} did not answer ${this.#operation.name} within ${formatDuration(limitMs)}${outcome}`,
        { cause: error },
      );
    }
  }

  /** How long to go on after a round that failed so, counted from the start. */
  #patienceMs(failures: readonly AttemptFailure[]): number {
    const { timeoutMs } = this.#limits;
    if (failures.some(({ kind }) => kind === "refused")) return timeoutMs;
    return failures.some(isPassing) ? Math.min(timeoutMs, connectPatienceMs) : 0;
  }

  #isStopped(): boolean {
    return this.#stops.some(({ aborted }) => aborted);
  }

  /** Throws if the caller has lost interest. `afterwards` is what is known of a write by then. */
  #throwIfStopped(afterwards: "notApplied" | "outcomeUnknown"): void {
    const { name } = this.#operation;
    const retry = this.#isWrite() ? afterwards : "notApplied";
    if (this.#deps.closed.aborted)
      throw new DkvClientError({ code: "closed", retry }, `the client was closed during ${name}`);
    const { signal } = this.#limits;
    if (signal?.aborted)
      throw new DkvClientError({ code: "canceled", retry }, `${name} was cancelled`, {
        cause: signal.reason,
      });
  }

  #isWrite(): boolean {
    return this.#operation.effect !== "none";
  }

  #elapsedMs(): number {
    return nowMs() - this.#startedMs;
  }

  #remainingMs(): number {
    return this.#limits.timeoutMs - this.#elapsedMs();
  }
}

/** A member and what can be asked of it. */
interface Way {
  readonly endpoint: Endpoint;
  readonly calls: MemberCalls;
}

/** A member's own words say more than that it was silent when our time ran out. */
function isExplained(failure: AttemptFailure): boolean {
  return failure.kind === "refused" && failure.error.code !== "deadline_exceeded";
}
