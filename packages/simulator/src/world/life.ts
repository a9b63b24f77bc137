/** One run of one process, from its start to its end. All that happens in it is an event of its life. */
import type { EventKind, SimEvent } from "./events.ts";
import type { World } from "./world.ts";

export class Life {
  readonly world: World;
  /** Of the machine that it runs on, for the trace. */
  readonly machine: number;
  #state: "running" | "paused" | "over" = "running";
  #backlog: SimEvent[] = [];

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
    if (this.#state === "running") this.#state = "paused";
  }

  /** SIGCONT: all that should have happened meanwhile happens now. */
  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    const late = this.#backlog;
    this.#backlog = [];
    for (const { kind, run } of late) if (run !== undefined) this.after(0, kind, run);
  }

  /** Nothing of it acts any more: not its timers, not its promises. */
  end(): void {
    this.#state = "over";
    this.#backlog = [];
  }
}
