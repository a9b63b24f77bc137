/**
 * What a leader does about members without being asked: it writes down whose data directory is which, and how
 * members call themselves; learners that have caught up become voters; and, if it was told to, members that
 * have been silent for long are removed.
 */
import type { NodeId } from "@dkv/raft";
import type { Logger } from "pino";
import type { Cancel, Clock } from "../../platform/clock.ts";
import type { PeerTransport } from "../../transport/peer-transport.ts";
import type { Membership } from "./membership.ts";
import type { TableMember } from "./table.ts";

const lookEveryMs = 500;

/** A cluster is not made smaller than this: one of two voters that fails takes the cluster with it. */
const fewestVoters = 3;

export interface AutopilotOptions {
  readonly autoPromote: boolean;
  /** Members that have not answered for so long are removed; undefined for never. */
  readonly cleanupAfterMs: number | undefined;
}

export interface AutopilotDeps {
  readonly membership: Membership;
  readonly transport: Pick<PeerTransport, "peers">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leads: () => boolean;
}

export class Autopilot {
  readonly #options: AutopilotOptions;
  readonly #deps: AutopilotDeps;
  #cancel: Cancel | undefined;
  /**
   * Since when this member, while it leads, has looked at each of the others: silence counts from then on.
   */
  readonly #watchedSinceMs = new Map<NodeId, number>();

  constructor(options: AutopilotOptions, deps: AutopilotDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  start(): void {
    this.#cancel = this.#deps.clock.every(lookEveryMs, () => {
      this.#look();
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  #look(): void {
    const { leads, membership, clock } = this.#deps;
    if (!leads()) {
      this.#watchedSinceMs.clear();
      return;
    }
    const nowMs = clock.nowMs();
    for (const { id } of membership.table.members)
      if (!this.#watchedSinceMs.has(id)) this.#watchedSinceMs.set(id, nowMs);
    if (membership.noteStarted()) return;
    if (this.#options.autoPromote && this.#promote()) return;
    const { cleanupAfterMs } = this.#options;
    if (cleanupAfterMs !== undefined) this.#cleanUp(cleanupAfterMs);
  }

  /** One at a time. Returns whether it took a step. */
  #promote(): boolean {
    const { membership, logger } = this.#deps;
    const { members } = membership.table;
    const ready = members.find(
      ({ id, role, staysLearner = false }) =>
        role === "learner" && !staysLearner && membership.isCaughtUp(id),
    );
    if (ready === undefined) return false;
    const { name, replaces } = ready;
    if (!membership.step({ kind: "promote", name })) return false;
    const old = replaces === undefined ? undefined : membership.table.nameOf(replaces);
    logger.info({ member: name, replaces: old }, "promoting a learner that has caught up");
    return true;
  }

  #cleanUp(afterMs: number): void {
    const { membership, logger } = this.#deps;
    const { members } = membership.table;
    const silent = members.find(({ name }) => {
      // One that takes another's place may have its name, and both would leave.
      const leaving = members.filter((member) => member.name === name);
      return leaving.every(({ id }) => this.#isSilent(id, afterMs)) && this.#canDoWithout(leaving);
    });
    if (silent !== undefined && membership.step({ kind: "leave", name: silent.name }))
      logger.warn({ member: silent.name }, "removing a member that has been silent for too long");
  }

  #canDoWithout(leaving: readonly TableMember[]): boolean {
    const votes = leaving.filter(({ role }) => role === "voter").length;
    return votes === 0 || this.#deps.membership.table.voters.length - votes >= fewestVoters;
  }

  /**
   * Both the link and consensus have to say so: to a leader that was paused the others seem silent for as
   * long, until it has read what they sent.
   */
  #isSilent(id: NodeId, afterMs: number): boolean {
    return !this.#deps.membership.hears(id) && this.#silenceMs(id) > afterMs;
  }

  /** How long it has been silent, as far as this member can know. */
  #silenceMs(id: NodeId): number {
    const { transport, clock } = this.#deps;
    const nowMs = clock.nowMs();
    const sinceMs = this.#watchedSinceMs.get(id) ?? nowMs;
    const peer = transport.peers().find((one) => one.id === id);
    if (peer === undefined) return 0;
    return nowMs - Math.max(peer.lastHeardMs ?? sinceMs, sinceMs);
  }
}
