/**
 * Changes of who belongs to the cluster, and of who leads it, through any member.
 *
 *   follower ── asks ──▶ leader: plan ─▶ step ─▶ committed ─▶ plan again ─▶ done
 *
 * What is to be done is read off the configuration each time, so a leader that comes in the middle goes on
 * where the other one left it, and a wish that comes twice does no harm.
 */
import { type EntryId, isJoint, type NodeId, nodeId, type NodeStatus, type RaftNode } from "@dkv/raft";
import { encodeMembership } from "../../codec/membership-codec.ts";
import type { Clock } from "../../platform/clock.ts";
import { DkvError } from "../../platform/errors.ts";
import type { Random } from "../../platform/random.ts";
import type { StoredOwner } from "../../storage/storage.ts";
import type { PeerTransport } from "../../transport/peer-transport.ts";
import type { Driver } from "../driver.ts";
import type { MembershipChange } from "../member.ts";
import type { PeerRequests } from "../peer-requests.ts";
import { noteStarted } from "./note-started.ts";
import { type Knowledge, plan, type Plan, type Wish } from "./plan.ts";
import {
  decodeResponse,
  encodeRequest,
  type Followers,
  type LeaderRequest,
  type MemberResponse,
} from "../requests/request-bodies.ts";
import { MembershipTable } from "./table.ts";

/**
 * Entries that a follower may lack of what is committed and still count as caught up: some milliseconds'
 * worth.
 */
const smallLag = 1000;

/** While there is no leader to ask, it is looked for again so often. */
const retryMs = 100;

export interface MembershipDeps {
  readonly node: RaftNode;
  readonly driver: Pick<Driver, "until" | "withNode">;
  readonly requests: Pick<PeerRequests, "ask">;
  readonly transport: Pick<PeerTransport, "peers">;
  /** Whose data directory this is. */
  readonly identity: StoredOwner;
  readonly clock: Clock;
  readonly random: Random;
  readonly electionTimeoutMs: number;
}

/** Why a wish is not fulfilled yet. */
type Obstacle = "noLeader" | "changeInProgress" | "notCommitted" | "transferFailed";

type Attempt = { readonly kind: "done" } | { readonly kind: "again"; readonly because: Obstacle };

type Step = Extract<Plan, { kind: "step" }>;

const done: Attempt = { kind: "done" };
const again = (because: Obstacle): Attempt => ({ kind: "again", because });

export class Membership {
  readonly #deps: MembershipDeps;
  #table: { readonly of: NodeStatus["configuration"]; readonly table: MembershipTable } | undefined;

  constructor(deps: MembershipDeps) {
    this.#deps = deps;
  }

  /** Of the configuration in force here, committed or not. */
  get table(): MembershipTable {
    const { configuration } = this.#deps.node;
    if (this.#table?.of !== configuration)
      this.#table = { of: configuration, table: new MembershipTable(configuration.configuration) };
    return this.#table.table;
  }

  /** Resolves when the change is committed. Rejects with a DkvError. */
  change(change: MembershipChange, timeoutMs: number): Promise<void> {
    const wish = { change, newId: this.#newId() };
    return this.#persist(timeoutMs, (deadlineMs) =>
      this.#leads
        ? this.#changeHere(wish, deadlineMs)
        : this.#askLeader({ kind: "change", ...wish, timeoutMs: this.#leftMs(deadlineMs) }),
    );
  }

  /** Resolves when the voter leads. Rejects with a DkvError. */
  moveLeader(name: string, timeoutMs: number): Promise<void> {
    return this.#persist(timeoutMs, (deadlineMs) =>
      this.#leads
        ? this.#moveFromHere(name, deadlineMs)
        : this.#askLeader({ kind: "moveLeader", name, timeoutMs: this.#leftMs(deadlineMs) }),
    );
  }

  /** How far the followers are; undefined if the leader does not say. */
  async followers(timeoutMs: number): Promise<Followers | undefined> {
    if (this.#leads) return this.#ownFollowers();
    const { leader } = this.#deps.node.status();
    if (leader === undefined) return undefined;
    const body = encodeRequest({ kind: "listFollowers", timeoutMs });
    const reply = await this.#deps.requests.ask(leader, body, timeoutMs);
    const response = reply.kind === "answer" ? decodeResponse(reply.body) : undefined;
    return response?.kind === "followers" ? response.followers : undefined;
  }

  /** Answers what another member asks of a leader. */
  async answer(request: LeaderRequest | undefined): Promise<MemberResponse> {
    if (request === undefined)
      return failure("unimplemented", "this member's version does not know the request");
    if (!this.#leads) return failure("notLeader", "this member does not lead");
    try {
      if (request.kind === "listFollowers") return { kind: "followers", followers: this.#ownFollowers() };
      const deadlineMs = this.#deps.clock.nowMs() + request.timeoutMs;
      const attempt =
        request.kind === "change"
          ? await this.#changeHere(request, deadlineMs)
          : await this.#moveFromHere(request.name, deadlineMs);
      return attempt.kind === "done" ? { kind: "done" } : { kind: "failure", error: late(attempt.because) };
    } catch (error) {
      if (error instanceof DkvError) return { kind: "failure", error };
      throw error;
    }
  }

  /** Takes a step towards the change without waiting for it. Returns false if there is none to take now. */
  step(change: MembershipChange): boolean {
    const planned = plan({ change, newId: this.#newId() }, this.table, this.#knowledge());
    return planned.kind === "step" && this.#take(planned) !== undefined;
  }

  /**
   * Writes down which data directory each member has, once that is known. Should one come back with another,
   * nobody takes it for the one that it was: it may have voted, and acknowledged what nobody else knows. The
   * first time the cluster's history gets its number. Who was added without a name gets the one that it
   * starts with. Returns whether it took a step.
   */
  noteStarted(): boolean {
    const { transport, identity, random } = this.#deps;
    const { table } = this;
    const { name: ownName, memberId: id, incarnation } = identity;
    const started = new Map(transport.peers().map((peer) => [peer.id, peer]));
    const noted = noteStarted(table, (one) => (one === id ? { incarnation, ownName } : started.get(one)));
    if (noted === undefined) return false;
    return (
      this.#take({ kind: "step", changes: [], rows: noted }, table.history || random.name()) !== undefined
    );
  }

  /** Whether this member leads and has heard the other one within the last election timeout. */
  hears(id: NodeId): boolean {
    return this.#deps.node.status().followers.get(id)?.recentlyActive === true;
  }

  /** Whether the follower's log is about as long as ours. */
  isCaughtUp(id: NodeId): boolean {
    return this.#knowledge().isCaughtUp(id);
  }

  get #leads(): boolean {
    return this.#deps.node.status().role === "leader";
  }

  /** Tries until it is done, refused, or the time is up. */
  async #persist(timeoutMs: number, attempt: (deadlineMs: number) => Promise<Attempt>): Promise<void> {
    const { clock, driver, node } = this.#deps;
    const deadlineMs = clock.nowMs() + timeoutMs;
    for (;;) {
      const result = await attempt(deadlineMs);
      if (result.kind === "done") return;
      const leftMs = this.#leftMs(deadlineMs);
      if (leftMs === 0) throw late(result.because);
      const { leader, term } = node.status();
      const isNews = (): boolean => node.status().leader !== leader || node.status().term !== term;
      await driver.until(isNews, Math.min(retryMs, leftMs));
    }
  }

  async #askLeader(request: LeaderRequest): Promise<Attempt> {
    const { node, requests } = this.#deps;
    const { leader } = node.status();
    if (leader === undefined) return again("noLeader");
    const reply = await requests.ask(leader, encodeRequest(request), request.timeoutMs);
    if (reply.kind === "notSent") return again("noLeader");
    if (reply.kind === "silence") return again("notCommitted");
    const response = decodeResponse(reply.body);
    if (response.kind !== "failure") return done;
    const { code } = response.error;
    if (code === "notLeader" || code === "noLeader") return again("noLeader");
    if (code === "changeInProgress") return again("changeInProgress");
    throw response.error;
  }

  async #changeHere(wish: Wish, deadlineMs: number): Promise<Attempt> {
    const settled = await this.#settles(deadlineMs);
    if (!this.#leads) return again("noLeader");
    if (!settled) return again("changeInProgress");
    const planned = plan(wish, this.table, this.#knowledge());
    if (planned.kind === "done") return done;
    if (planned.kind === "refused") throw planned.error;
    const taken = this.#take(planned);
    if (taken === undefined) return again("changeInProgress");
    const isOver = await this.#settles(deadlineMs);
    return isOver && this.#isCommitted(taken) ? done : again("notCommitted");
  }

  /** Whether an entry that this member appended as a leader is committed, and was not replaced by another. */
  #isCommitted({ index, term }: EntryId): boolean {
    const { node } = this.#deps;
    const { commit, role, term: now } = node.status();
    const isOurs = node.termAt(index) === term || (role === "leader" && now === term);
    return isOurs && commit >= index;
  }

  /** Resolves with whether a leader could take a step, or there is none here any more. */
  #settles(deadlineMs: number): Promise<boolean> {
    const { node, driver } = this.#deps;
    return driver.until(() => this.#isSettled(node.status()), this.#leftMs(deadlineMs));
  }

  #leftMs(deadlineMs: number): number {
    return Math.max(0, deadlineMs - this.#deps.clock.nowMs());
  }

  #isSettled({ role, commit, configuration }: NodeStatus): boolean {
    return role !== "leader" || (commit >= configuration.index && !isJoint(configuration.configuration));
  }

  /** Returns the entry that will be committed, if nothing comes between. */
  #take({ changes, rows }: Step, history = this.table.history): EntryId | undefined {
    const result = this.#deps.driver.withNode((node) =>
      node.reconfigure(changes, encodeMembership({ rows, history })),
    );
    return result.kind === "accepted" ? result : undefined;
  }

  async #moveFromHere(name: string, deadlineMs: number): Promise<Attempt> {
    const { node, driver, electionTimeoutMs } = this.#deps;
    const member = this.table.named(name);
    if (member === undefined) throw new DkvError("unknownMember", `no member is called ${name}`);
    if (member.role === "learner")
      throw new DkvError("notVoter", `${name} is a learner and cannot lead: promote it first`);
    // A leader that was only just elected has not heard of anybody yet.
    const answers = (): boolean => !this.#leads || this.#knowledge().isAnswering(member.id);
    const isAnswered = await driver.until(answers, Math.min(this.#leftMs(deadlineMs), electionTimeoutMs));
    if (!this.#leads) return node.status().leader === member.id ? done : again("noLeader");
    if (!isAnswered)
      throw new DkvError("notAnswering", `${name} does not answer: start it, or name another voter`);
    const result = driver.withNode((core) => core.transferLeadership(member.id));
    if (result.kind === "dropped" && result.because === "alreadyLeader") return done;
    if (result.kind === "dropped") return again("changeInProgress");
    const isLed = (): boolean => node.status().leader === member.id;
    const moved = await driver.until(isLed, Math.min(this.#leftMs(deadlineMs), 2 * electionTimeoutMs));
    return moved ? done : again("transferFailed");
  }

  #ownFollowers(): Followers {
    const { id, followers, lastIndex } = this.#deps.node.status();
    const matches = new Map(Array.from(followers, ([follower, { match }]) => [follower, match]));
    return { lastIndex, matches: matches.set(id, lastIndex) };
  }

  #knowledge(): Knowledge {
    const { id: self, followers, commit } = this.#deps.node.status();
    return {
      // Of a process that died the link knows at once, and consensus only after an election timeout.
      isAnswering: (id) =>
        id === self || (followers.get(id)?.recentlyActive === true && this.#isConnected(id)),
      isCaughtUp: (id) => {
        const follower = followers.get(id);
        if (follower === undefined || !follower.recentlyActive) return false;
        return follower.state === "replicate" && follower.match >= commit - smallLag;
      },
    };
  }

  #isConnected(id: NodeId): boolean {
    return this.#deps.transport.peers().some((peer) => peer.id === id && peer.isConnected);
  }

  #newId(): NodeId {
    return nodeId(this.#deps.random.name());
  }
}

function failure(code: "unimplemented" | "notLeader", message: string): MemberResponse {
  return { kind: "failure", error: new DkvError(code, message) };
}

function late(because: Obstacle): DkvError {
  switch (because) {
    case "noLeader":
      return new DkvError(
        "noLeader",
        "the leader could not be asked in time; see member-list for what became of it",
      );
    case "changeInProgress":
      return new DkvError("changeInProgress", "another change is under way; nothing was changed, try again");
    case "notCommitted":
      return new DkvError(
        "outcomeUnknown",
        "no quorum has confirmed the change in time; it may still take effect: see member-list",
      );
    case "transferFailed":
      return new DkvError(
        "outcomeUnknown",
        "the voter did not begin to lead in time: it does not answer, or is behind; see member-list for who leads",
      );
  }
}
