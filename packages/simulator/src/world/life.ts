/** One run of one process, from its start to its end. All that happens in it is an event of its life. */
import type { EventKind, SimEvent } from "./events.ts";
import type { World } from "./world.ts";

export class Life {
  readonly world: World;
  /** Of the machine that it runs on, for the trace. */
  readonly machine: number;
  #state: "running" | "paused" | "over" = "running";
  #backlog: SimEvent[] = [];
  #pauses = 0;

  constructor(world: World, machine: number) {
    this.world = world;
    this.machine = machine;
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  get isPaused(): boolean {
    return this.#state === "paused";
  }

  /** How often it was paused so far. */
  get pauses(): number {
    return this.#pauses;
  }

  /** Never happens if this life is over by then; happens later if it is paused. */
  after(delayUs: number, kind: EventKind, run: () => void): SimEvent {
    return this.world.after(delayUs, kind, run, this);
  }

  /** Returns whether the event may happen now. */
  admits(event: SimEvent): boolean {
    if (this.#state === "paused") this.#backlog.push(event);
    return this.#state === "running";
  }

  /** SIGSTOP: the process stands still and does not know it. */
  pause(): void {
    if (this.#state !== "running") return;
    this.#state = "paused";
    this.#pauses += 1;
  }

  /** SIGCONT: all that should have happened meanwhile happens now. */
  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    const late = this.#backlog;
    this.#backlog = [];
    // What comes first may call off what comes later, as in any turn of an event loop.
    for (const event of late) this.after(0, event.kind, () => event.run?.());
  }

  /** Nothing of it acts any more: not its timers, not its promises. */
  end(): void {
    this.#state = "over";
    this.#backlog = [];
  }
}

/** Says whether a process that was asked now has been running all the time since, and so was able to answer. */
export function obligation(life: Life | undefined): () => boolean {
  if (life === undefined || life.isPaused) return () => false;
  const { pauses } = life;
  return () => !life.isOver && life.pauses === pauses;
}
