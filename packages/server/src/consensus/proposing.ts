/**
 * Brings commands into the log: our callers' and, while we lead, those that other members hand to us.
 *
 *   our callers ─▶ Proposals ──┬──▶ the core, if we lead
 *                              └──▶ a frame to the leader ──▶ held there while its disk is busy ─▶ the core
 *
 * A command is handed to the leader of one term, which proposes it in that term or refuses it, naming the
 * term. What it refused, and what never left because the link took no frame, is tried again at the next
 * tick or when leader or term change; sooner would only be refused as soon.
 */
import { type NodeId, noEntry, type ProposeResult, type RaftNode, type Term } from "@dkv/raft";
import { commandId, decodeCommand, isCommand } from "@dkv/store";
import type { Logger } from "pino";
import type { PeerFrame, Refusal } from "../transport/peer-transport.ts";
import { type DiskReserve, takesRoom } from "./disk-reserve.ts";
import type { DiskWatch } from "./disk-watch.ts";
import type { Outbox } from "./outbox.ts";
import { overloaded, type Pending, type Proposals } from "./proposals.ts";

export interface ProposingLimits {
  /** Bytes of commands proposed or handed on in one turn: a frame to the leader has no more, or one command. */
  readonly turnBytes: number;
  /** Bytes of other members' commands held until the disk is free; above, they are refused. */
  readonly heldBytes: number;
}

export interface ProposingDeps {
  readonly node: RaftNode;
  readonly proposals: Proposals;
  readonly outbox: Outbox;
  readonly disk: DiskWatch;
  readonly reserve: DiskReserve;
  readonly logger: Logger;
  /** Names this run of this process in commands. */
  readonly proposer: bigint;
}

/** Commands that a peer hands to the leader of a term. */
interface Forward {
  readonly from: NodeId;
  readonly term: Term;
  readonly commands: readonly Uint8Array[];
  readonly bytes: number;
}

/** Commands that leave for the leader in this turn's frame. */
interface Leaving {
  readonly to: NodeId;
  readonly term: Term;
  readonly list: readonly Pending[];
}

/** Roughly what a command costs in memory beyond its bytes. */
const commandOverheadBytes = 200;

const commandTakesRoom = (command: Uint8Array): boolean => takesRoom(decodeCommand(command).operation);

export class Proposing {
  readonly #limits: ProposingLimits;
  readonly #deps: ProposingDeps;
  #held: Forward[] = [];
  #heldBytes = 0;
  #leaving: Leaving | undefined;
  #hasMore = false;
  /** As the last turn knew them. */
  #leader: NodeId | undefined;
  #term = noEntry.term;

  constructor(limits: ProposingLimits, deps: ProposingDeps) {
    this.#limits = limits;
    this.#deps = deps;
  }

  /** Whether the next turn can propose or hand on more, at once. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /** Takes the commands and refusals out of a peer's frame. */
  received(from: NodeId, { forwarded, forwardedTerm, refusals }: PeerFrame): void {
    const { proposals, proposer } = this.#deps;
    for (const refusal of refusals) {
      // One for an earlier run of this process means another command of the same sequence.
      if (refusal.proposer === proposer) proposals.refused(refusal);
    }
    if (forwarded.length > 0) this.#hold(from, forwardedTerm, forwarded);
  }

  /** A tick passes: what was refused is tried again. */
  tick(): void {
    this.#deps.proposals.retry();
  }

  /**
   * A leader proposes when its disk is free: what arrives while a batch is being written would wait for the
   * next one anyway, and so costs one append for each follower instead of many.
   */
  propose(): void {
    const { node, proposals, disk } = this.#deps;
    const { role, leader, term } = node.softState;
    const leads = role === "leader";
    this.#hasMore = false;
    if (this.#leader !== leader || this.#term !== term) proposals.retry();
    this.#leader = leader;
    this.#term = term;
    if (leads && disk.state === "busy") return;
    this.#proposeHeld();
    if (leader === undefined) return;
    const waiting = this.#thatFit(proposals.takeWaiting(this.#limits.turnBytes));
    this.#hasMore = proposals.hasWaiting;
    if (waiting.length === 0) return;
    if (leads) this.#proposeOwn(waiting, term);
    else this.#forward(leader, term, waiting);
  }

  /** The turn's frames were handed to the links, which did not take those to the peers in `notTaken`. */
  flushed(notTaken: ReadonlySet<NodeId>): void {
    const leaving = this.#leaving;
    if (leaving === undefined) return;
    this.#leaving = undefined;
    const { proposals } = this.#deps;
    if (notTaken.has(leaving.to)) proposals.holdBack(leaving.list);
    else proposals.handedOn(leaving.list, leaving.term);
  }

  #hold(from: NodeId, term: Term, forwarded: readonly Uint8Array[]): void {
    // What no store could apply must not reach the log, whoever sent it.
    const commands = forwarded.filter(isCommand);
    if (commands.length < forwarded.length)
      this.#deps.logger.warn({ peer: from.toString(16) }, "dropped what is no command");
    if (commands.length === 0) return;
    let bytes = 0;
    for (const command of commands) bytes += commandOverheadBytes + command.length;
    const forward = { from, term, commands, bytes };
    if (this.#heldBytes > 0 && this.#heldBytes + bytes > this.#limits.heldBytes) {
      this.#refuse(forward, "overloaded");
      return;
    }
    this.#held.push(forward);
    this.#heldBytes += bytes;
  }

  #proposeHeld(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const forward of held) {
      // In another term than it was meant for, a command could be proposed here and again elsewhere.
      const isMeantForUs = this.#deps.node.status().term === forward.term;
      if (isMeantForUs) this.#takeUp(this.#withRoomFor(forward));
      else this.#refuse(forward, "notLeader");
    }
  }

  #takeUp(forward: Forward): void {
    if (forward.commands.length === 0) return;
    const proposed = this.#offer(forward.commands, forward.from);
    if (proposed.kind === "accepted") return;
    this.#refuse(forward, proposed.because === "uncommittedLimit" ? "overloaded" : "notLeader");
  }

  /** Those of another member's commands for which our disk has room; it is told of the others. */
  #withRoomFor(forward: Forward): Forward {
    if (this.#deps.reserve.state === "enough") return forward;
    const tooMuch = new Set(forward.commands.filter(commandTakesRoom));
    this.#refuse({ ...forward, commands: [...tooMuch] }, "diskFull");
    return { ...forward, commands: forward.commands.filter((command) => !tooMuch.has(command)) };
  }

  /** Those of our callers' commands for which our own disk has room, whoever leads; the others are answered. */
  #thatFit(taken: readonly Pending[]): readonly Pending[] {
    const { reserve, proposals } = this.#deps;
    if (reserve.state === "enough") return taken;
    const tooMuch = new Set(taken.filter(({ command }) => commandTakesRoom(command)));
    proposals.reject([...tooMuch], () => reserve.refusal());
    return taken.filter((pending) => !tooMuch.has(pending));
  }

  #refuse({ from, term, commands }: Forward, code: Refusal["code"]): void {
    for (const command of commands) this.#deps.outbox.refuse(from, { ...commandId(command), term, code });
  }

  #forward(to: NodeId, term: Term, list: readonly Pending[]): void {
    const commands = list.map((pending) => pending.command);
    this.#deps.outbox.forward(to, term, commands);
    this.#leaving = { to, term, list };
  }

  #proposeOwn(list: readonly Pending[], term: Term): void {
    const { proposals } = this.#deps;
    const proposed = this.#offer(list.map((pending) => pending.command));
    if (proposed.kind === "accepted") proposals.handedOn(list, term);
    else if (proposed.because === "uncommittedLimit") proposals.reject(list, overloaded);
    else proposals.holdBack(list);
  }

  /**
   * To the core; but a leader whose disk has stalled takes nothing. While it hands leadership over its
   * commands wait for the next leader, and otherwise it has no more room than if its log were full.
   */
  #offer(commands: readonly Uint8Array[], onBehalfOf?: NodeId): ProposeResult {
    const { node, disk } = this.#deps;
    if (disk.state !== "stalled" || node.softState.role !== "leader")
      return node.propose(commands, onBehalfOf);
    return { kind: "dropped", because: disk.isHandingOver ? "transferring" : "uncommittedLimit" };
  }
}
