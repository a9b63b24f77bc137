/**
 * The commands of one connection, in the order in which they came, which is that of their answers. Each is
 * begun as soon as it comes, unless an earlier one with its key is not settled, or nobody leads.
 *
 * A command is charged until its answer is taken, also if that is there long before those of earlier ones:
 * its bytes, and those that stand with it in one piece of memory, are here as long.
 *
 * Values are read when they are sent, so that a thousand small questions take no memory for large answers.
 */
import type { Logger } from "pino";
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { Lanes } from "./lanes.ts";
import type { Leadership, LeaderWatch } from "./leadership.ts";
import type { StreamCommand, StreamProtocol } from "./protocol.ts";
import type { Room } from "./room.ts";
import { Slot, stages } from "./slots.ts";

export interface CommandsDeps {
  readonly member: Pick<Member, "get" | "readBarrier">;
  readonly leader: Pick<LeaderWatch, "look">;
  readonly protocol: Pick<StreamProtocol<never>, "elsewhere">;
  readonly logger: Logger;
  /** For their bytes. */
  readonly room: Room;
  /** There may be an answer to send, or room for more commands. */
  readonly onProgress: () => void;
}

const nothing = Buffer.alloc(0);

export class CommandsInOrder {
  readonly #deps: CommandsDeps;
  readonly #lanes = new Lanes<Slot>();
  /** Those whose answers are not taken. */
  #slots: Slot[] = [];
  #bytes = 0;
  /** Those that begin when somebody leads. */
  #held: Slot[] = [];
  /** Reads that have begun since the last confirmation was asked for. */
  #reads: Slot[] = [];
  #isGivenUp = false;

  constructor(deps: CommandsDeps) {
    this.#deps = deps;
  }

  /** Of those whose answers are not taken. */
  get count(): number {
    return this.#slots.length;
  }

  /** Of those, and of writes that are under way although they were answered. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the next answer is a value, which is there to be read. */
  get isReadable(): boolean {
    return this.#slots[0]?.stage.kind === "readable";
  }

  /**
   * Call {@link confirmReads} when no more of them come at once.
   *
   * @param bytes what it takes of the memory in which it came
   */
  add(command: StreamCommand, bytes: number): void {
    const hasRoom = this.#deps.room.take(bytes);
    if (hasRoom) this.#bytes += bytes;
    const slot = hasRoom ? new Slot(command, bytes) : new Slot(failedAtOnce(command), 0);
    this.#slots.push(slot);
    if (slot.command.kind === "answered") this.#answer(slot, slot.command.answer);
    else if (slot.lane === undefined || this.#lanes.enter(slot.lane, slot)) this.#begin(slot);
  }

  /** All reads that came together are confirmed together. */
  confirmReads(): void {
    if (this.#reads.length === 0) return;
    const reads = this.#reads;
    this.#reads = [];
    this.#deps.member.readBarrier().then(
      () => {
        for (const slot of reads) if (slot.stage === stages.running) slot.stage = stages.readable;
        this.#deps.onProgress();
      },
      (error: unknown) => {
        for (const slot of reads) this.#fail(slot, error);
      },
    );
  }

  /** What was held while nobody led may begin; where nobody leads, nothing is waited for any more. */
  leadershipIs(now: Exclude<Leadership, "awaited">): void {
    const held = this.#held;
    this.#held = [];
    if (now === "known") for (const slot of held) this.#begin(slot);
    else for (const slot of this.#slots) if (slot.stage !== stages.readable) this.#fail(slot);
    this.confirmReads();
  }

  /**
   * The answers that are to be sent next: so many bytes, or one more; none if the first one is not there.
   *
   * @param mayRead whether values may be among them
   */
  takeAnswers(maxBytes: number, mayRead: boolean): readonly Buffer[] {
    const answers: Buffer[] = [];
    let bytes = 0;
    let count = 0;
    for (const slot of this.#slots) {
      const parts = bytes < maxBytes ? this.#answerOf(slot, mayRead) : undefined;
      if (parts === undefined) break;
      for (const part of parts) {
        answers.push(part);
        bytes += part.length;
      }
      count += 1;
    }
    if (count > 0) for (const slot of this.#slots.splice(0, count)) this.#taken(slot);
    return answers;
  }

  /** The client has gone. What runs goes on, for it may be done already; what has not begun never does. */
  giveUp(): void {
    this.#isGivenUp = true;
    const slots = this.#slots;
    this.#slots = [];
    this.#held = [];
    this.#reads = [];
    for (const slot of slots) {
      this.#taken(slot);
      this.#answer(slot, nothing);
    }
  }

  #begin(slot: Slot): void {
    const { command } = slot;
    if (this.#isGivenUp || slot.stage.kind === "done" || command.kind === "answered") {
      this.#settle(slot);
      return;
    }
    const { leadership, status } = this.#deps.leader.look();
    if (leadership === "missing") {
      this.#fail(slot);
      return;
    }
    if (leadership === "awaited") {
      slot.stage = stages.held;
      this.#held.push(slot);
      return;
    }
    const elsewhere = this.#deps.protocol.elsewhere(status);
    if (elsewhere !== undefined) {
      this.#answer(slot, elsewhere);
      return;
    }
    slot.stage = stages.running;
    if (command.kind === "read") this.#reads.push(slot);
    else this.#run(slot, command.run);
  }

  #run(slot: Slot, run: () => Promise<Buffer>): void {
    slot.isUndecided = true;
    run().then(
      (answer) => {
        this.#decided(slot);
        this.#answer(slot, answer);
      },
      (error: unknown) => {
        this.#decided(slot);
        this.#fail(slot, error);
      },
    );
  }

  /** Its client may have been told long ago that nobody knows: only now may others with its key begin. */
  #decided(slot: Slot): void {
    slot.isUndecided = false;
    if (slot.stage.kind !== "done") return;
    this.#settle(slot);
    this.#deps.onProgress();
  }

  #fail(slot: Slot, error?: unknown): void {
    const { command } = slot;
    if (error !== undefined && !(error instanceof DkvError))
      this.#deps.logger.error({ err: error }, "a command failed for a reason that dkv does not know");
    if (command.kind !== "answered") this.#answer(slot, command.failed);
  }

  #answer(slot: Slot, answer: Buffer): void {
    // Who was told that nobody leads is not told anything else later.
    if (slot.stage.kind === "done") return;
    slot.stage = { kind: "done", answer };
    // One that waits in its lane keeps its place there, as does one of which nobody knows whether it is done.
    if (slot.hasBegun && !slot.isUndecided) this.#settle(slot);
    this.#deps.onProgress();
  }

  #settle(slot: Slot): void {
    if (slot.isSettled) return;
    slot.isSettled = true;
    this.#release(slot);
    if (slot.lane === undefined) return;
    for (const next of this.#lanes.leave(slot.lane, slot)) this.#begin(next);
  }

  #taken(slot: Slot): void {
    slot.isTaken = true;
    this.#release(slot);
  }

  #release({ isTaken, isSettled, bytes }: Slot): void {
    if (!isTaken || !isSettled) return;
    this.#bytes -= bytes;
    this.#deps.room.release(bytes);
  }

  #answerOf(slot: Slot, mayRead: boolean): readonly Buffer[] | undefined {
    const { command, stage } = slot;
    if (stage.kind === "done") return [stage.answer];
    if (stage.kind !== "readable" || command.kind !== "read" || !mayRead) return undefined;
    try {
      const answer = command.answer(this.#deps.member.get(command.key));
      this.#settle(slot);
      return answer;
    } catch (error) {
      this.#fail(slot, error);
      return [command.failed];
    }
  }
}

/** What it comes to where there is no room. Nothing of it is kept. */
function failedAtOnce(command: StreamCommand): StreamCommand {
  return command.kind === "answered" ? command : { kind: "answered", answer: command.failed };
}
