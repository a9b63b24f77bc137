import type { LaneCommand } from "./lanes.ts";
import type { StreamCommand } from "./protocol.ts";

/**
 *   waiting for others with its key ─▶ held, while an election may be under way ─▶ running ─▶ done
 *                                                                                   └──▶ readable
 *
 * The value of a readable one is read when it is sent. Any other may be done at any time: then it has failed.
 */
export type Stage =
  | { readonly kind: "waiting" | "held" | "running" | "readable" }
  | { readonly kind: "done"; readonly answer: Buffer };

/** Stages that are the same for all. */
export const stages = {
  waiting: { kind: "waiting" },
  held: { kind: "held" },
  running: { kind: "running" },
  readable: { kind: "readable" },
} as const satisfies Record<string, Stage>;

/** One command, from its arrival until its answer is handed to the socket and nothing of it is under way. */
export class Slot implements LaneCommand {
  readonly command: StreamCommand;
  readonly isRead: boolean;
  /** Undefined if it has no place among others of its key. */
  readonly lane: string | undefined;
  /** What is charged for it. */
  readonly bytes: number;
  /** It needs not wait for others: the lane says so, or it has none. */
  hasBegun: boolean;
  stage: Stage = stages.waiting;
  /** Its write is under way, also if its client was told already that nobody knows what became of it. */
  isUndecided = false;
  /** Its answer is handed to the socket, or nobody waits for it any more. */
  isTaken = false;
  /** Nothing of it is under way, and nobody waits for it in its lane. */
  isSettled = false;

  constructor(command: StreamCommand, bytes: number) {
    this.command = command;
    this.isRead = command.kind === "read";
    this.lane = command.kind === "answered" ? undefined : command.key?.toString("latin1");
    this.hasBegun = this.lane === undefined;
    this.bytes = bytes;
  }
}
