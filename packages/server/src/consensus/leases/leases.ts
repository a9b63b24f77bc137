/**
 * Leases as doors know them, through any member.
 *
 *   keepAlive, timeOf ─▶ gathered ─┬─ it leads itself ─▶ its clock ─▶ a round of a quorum ─▶ its clock again
 *                                  └─ another one does ─▶ asked ─▶ the same there
 *
 * Who is told that a lease was kept alive can rely on it: it lives for all of its time from then on, whoever
 * leads. For after the leader had given it the time, a quorum confirmed that nobody led in a later term yet;
 * so a later leader began to measure later, and gives it no less. That leader may still find an entry of the
 * former one in its log that ends the lease, proposed when nobody had kept it alive; the round is over only
 * when it has applied that, and so it looks at its clock again. Measured time is not relied upon in place of
 * the round: a leader that was paused does not know that another one was elected meanwhile.
 */
import type { NodeStatus, RaftNode } from "@dkv/raft";
import type { LeaseId, Store } from "@dkv/store";
import type { Clock } from "../../platform/clock.ts";
import { DkvError } from "../../platform/errors.ts";
import type { Random } from "../../platform/random.ts";
import type { Driver } from "../driver.ts";
import type { LocalReads } from "../local-reads.ts";
import type { PeerRequests } from "../peer-requests.ts";
import {
  decodeResponse,
  encodeRequest,
  type LeaseRequest,
  type MemberResponse,
} from "../requests/request-bodies.ts";
import type { LeaseClock } from "./lease-clock.ts";
import type { LeaseKeeper, LeaseTime } from "./lease-keeper.ts";
import type { LeaseTimes } from "./lease-times.ts";
import { Questions } from "./questions.ts";

/** While there is no leader to ask, it is looked for again so often. */
const retryMs = 100;

/** A leader has to be found, and clients have to reach it, before a lease runs out. */
const electionTimeouts = 1.5;

export interface LeasesOptions {
  readonly electionTimeoutMs: number;
  /** The longest an answer is waited for. */
  readonly requestTimeoutMs: number;
}

export interface LeasesDeps {
  readonly node: Pick<RaftNode, "status">;
  readonly store: Pick<Store, "lease">;
  readonly driver: Pick<Driver, "until">;
  readonly requests: Pick<PeerRequests, "ask">;
  readonly localReads: Pick<LocalReads, "lease" | "leases" | "keysOfLease">;
  readonly leaseClock: Pick<LeaseClock, "times" | "renew">;
  readonly readBarrier: (timeoutMs: number) => Promise<void>;
  /** Why this member serves nobody; undefined if it does. */
  readonly refusal: () => DkvError | undefined;
  readonly clock: Clock;
  readonly random: Pick<Random, "name">;
}

type Kind = LeaseRequest["kind"];

type Times = readonly (LeaseTime | undefined)[];

export class Leases implements LeaseKeeper {
  readonly leastTtl: bigint;
  readonly #options: LeasesOptions;
  readonly #deps: LeasesDeps;
  readonly #questions: Readonly<Record<Kind, Questions>>;

  constructor(options: LeasesOptions, deps: LeasesDeps) {
    this.#options = options;
    this.#deps = deps;
    this.leastTtl = BigInt(Math.max(1, Math.ceil((electionTimeouts * options.electionTimeoutMs) / 1000)));
    const questions = (kind: Kind): Questions =>
      new Questions({ ...deps, ask: (ids) => this.#ask(kind, ids), late: () => this.#late() });
    this.#questions = { keepLeasesAlive: questions("keepLeasesAlive"), leaseTimes: questions("leaseTimes") };
  }

  newId(): LeaseId {
    for (;;) {
      const id = BigInt.asUintN(63, this.#deps.random.name());
      if (id !== 0n && this.#deps.store.lease(id) === undefined) return id;
    }
  }

  keepAlive(id: LeaseId, timeoutMs?: number): Promise<LeaseTime | undefined> {
    return this.#question("keepLeasesAlive", id, timeoutMs);
  }

  timeOf(id: LeaseId, timeoutMs?: number): Promise<LeaseTime | undefined> {
    return this.#question("leaseTimes", id, timeoutMs);
  }

  grantedTtl(id: LeaseId): bigint | undefined {
    return this.#deps.localReads.lease(id)?.grantedTtl;
  }

  list(): Promise<readonly LeaseId[]> {
    return this.#deps.localReads.leases();
  }

  keysOf(id: LeaseId): Promise<readonly Uint8Array[]> {
    return this.#deps.localReads.keysOfLease(id);
  }

  /** Answers another member. */
  async answer({ kind, ids, timeoutMs }: LeaseRequest): Promise<MemberResponse> {
    try {
      const times = await this.#answerHere(kind, ids, Math.min(timeoutMs, this.#options.requestTimeoutMs));
      if (times !== undefined) return { kind: "leaseTimes", times };
      const error = new DkvError("notLeader", "this member does not lead, or is not ready to");
      return { kind: "failure", error };
    } catch (error) {
      if (error instanceof DkvError) return { kind: "failure", error };
      throw error;
    }
  }

  /** Answers everybody: the member stops. */
  stop(error: DkvError): void {
    for (const questions of Object.values(this.#questions)) questions.stop(error);
  }

  #question(
    kind: Kind,
    id: LeaseId,
    timeoutMs = this.#options.requestTimeoutMs,
  ): Promise<LeaseTime | undefined> {
    const refusal = this.#deps.refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    return this.#questions[kind].ask(id, Math.min(timeoutMs, this.#options.requestTimeoutMs));
  }

  /** One attempt, which ends in time for another one with the next leader. */
  async #ask(kind: Kind, ids: readonly LeaseId[]): Promise<Times | undefined> {
    const { node, driver } = this.#deps;
    const { leader, term, id: self } = node.status();
    const timeoutMs = this.#options.electionTimeoutMs;
    const times =
      leader === self
        ? await this.#answerHere(kind, ids, timeoutMs)
        : leader && (await this.#askOther({ kind, ids, timeoutMs }, leader));
    if (times !== undefined) return times;
    const isNews = (now: NodeStatus): boolean => now.leader !== leader || now.term !== term;
    await driver.until(() => isNews(node.status()), retryMs);
    return undefined;
  }

  async #askOther(request: LeaseRequest, leader: NodeStatus["id"]): Promise<Times | undefined> {
    const { requests } = this.#deps;
    const reply = await requests.ask(leader, encodeRequest(request), request.timeoutMs);
    if (reply.kind !== "answer") return undefined;
    const response = decodeResponse(reply.body);
    if (response.kind === "leaseTimes")
      return response.times.length === request.ids.length ? response.times : undefined;
    if (response.kind !== "failure" || response.error.retry === "notApplied") return undefined;
    throw response.error;
  }

  /** Undefined if this member does not lead, or not for long enough. */
  async #answerHere(kind: Kind, ids: readonly LeaseId[], timeoutMs: number): Promise<Times | undefined> {
    const { driver, leaseClock, readBarrier, clock } = this.#deps;
    const times = this.#timesHere;
    if (times === undefined) return undefined;
    const deadlineMs = clock.nowMs() + timeoutMs;
    const leftMs = (): number => Math.max(0, deadlineMs - clock.nowMs());
    const isReady = (): boolean => times.isKnown || this.#timesHere !== times;
    if (!(await driver.until(isReady, leftMs()))) return undefined;
    if (kind === "keepLeasesAlive" && !(await leaseClock.renew(times, ids))) return undefined;
    try {
      await readBarrier(leftMs());
    } catch (error) {
      if (error instanceof DkvError && error.retry === "notApplied") return undefined;
      throw error;
    }
    // In the same term: it was our own round that a quorum has confirmed.
    if (this.#timesHere !== times) return undefined;
    return ids.map((id) => times.timeOf(id, clock.nowMs()));
  }

  /** Those of the term in which this member leads at this moment; undefined if it does not, or must not. */
  get #timesHere(): LeaseTimes | undefined {
    const { node, leaseClock, refusal } = this.#deps;
    const { role, term } = node.status();
    const { times } = leaseClock;
    return role === "leader" && times?.term === term && refusal() === undefined ? times : undefined;
  }

  #late(): DkvError {
    return this.#deps.node.status().leader === undefined
      ? new DkvError(
          "noLeader",
          "no quorum: the cluster has no leader that measures the time of leases; try again",
        )
      : new DkvError("readTimeout", "the leader did not say in time how much time the lease has; try again");
  }
}
