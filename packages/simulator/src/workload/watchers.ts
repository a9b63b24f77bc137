/** Clients that watch: several intervals in one stream, now at this member and now at that one. */
import type { WatchStream } from "@dkv/server/consensus/member";
import { DkvError } from "@dkv/server/platform/errors";
import type { Interval } from "@dkv/store";
import type { Truth } from "../checkers/truth.ts";
import { Watched } from "../checkers/watched.ts";
import type { MemberProcess } from "../process/member.ts";
import type { Machine } from "../process/machine.ts";
import type { Doors } from "./doors.ts";

/** One stay at a member. */
interface Visit {
  readonly machine: Machine;
  readonly member: MemberProcess;
  readonly stream: WatchStream;
  /** Those that the member has not ended, by their ids. */
  readonly going: Map<number, Watched>;
  isOver: boolean;
}

const intervals: readonly Interval[] = [
  { from: "\0", before: undefined },
  { from: "r/", before: "r0" },
  { from: "k0", before: "k0\0" },
  { from: "l/1", before: "u" },
  { from: "x/2", before: "x/5" },
];

export class Watchers {
  readonly #doors: Doors;
  readonly #truth: Truth;
  readonly #watched: Watched[] = [];

  constructor(doors: Doors, truth: Truth) {
    this.#doors = doors;
    this.#truth = truth;
  }

  /** Whether every watch was told all that there is. */
  get areUpToDate(): boolean {
    return this.#watched.every(({ next }) => next > this.#truth.store.revision);
  }

  start(clients: number): void {
    for (let client = 0; client < clients; client += 1)
      this.#watch().catch((error: unknown) => {
        this.#doors.world.fail(error);
      });
  }

  /** Goes on until the end of the run: whoever watches is told of what comes at the very last. */
  async #watch(): Promise<void> {
    const doors = this.#doors;
    const { random } = doors;
    await doors.pause(random.between(0, 5_000_000));
    const watched = Array.from({ length: random.between(1, 3) }, () => this.#draw());
    this.#watched.push(...watched);
    let visit: Visit | undefined;
    for (;;) {
      await doors.pause(random.between(50_000, 400_000));
      const isLeaving = !doors.isStopped && random.chance(0.1);
      if (visit !== undefined && !visit.isOver && !visit.member.life.isOver && !isLeaving) {
        if (!visit.member.life.isPaused) this.#look(visit);
        continue;
      }
      if (visit !== undefined) end(visit);
      visit = this.#visit(doors.someMachine(), watched);
    }
  }

  #draw(): Watched {
    const { random } = this.#doors;
    const wantSets = random.chance(0.9);
    return new Watched(this.#truth, {
      interval: random.pick(intervals),
      // Of the past, or to come.
      startRevision: random.chance(0.5) ? 0 : random.between(1, this.#truth.store.revision + 20),
      wantPrevious: random.chance(0.5),
      wantSets,
      wantDeletes: !wantSets || random.chance(0.8),
    });
  }

  #visit(machine: Machine, watched: readonly Watched[]): Visit | undefined {
    const { member } = machine;
    if (member === undefined || member.life.isPaused) return undefined;
    try {
      const stream = member.replica.watches.open();
      const visit = { machine, member, stream, going: new Map(watched.entries()), isOver: false };
      for (const [id, each] of watched.entries()) each.began(stream.create(id, each.spec), member.store);
      this.#listen(visit).catch((error: unknown) => {
        this.#doors.world.fail(error);
      });
      return visit;
    } catch (error) {
      if (error instanceof DkvError) return undefined;
      throw error;
    }
  }

  async #listen(visit: Visit): Promise<void> {
    const { stream, member, machine, going } = visit;
    const { random, world } = this.#doors;
    try {
      for (;;) {
        const messages = await stream.next();
        if (messages === undefined || visit.isOver) return;
        for (const message of messages) {
          if (message.kind === "progress") for (const each of going.values()) each.told(message.revision);
          else if (message.kind === "events") going.get(message.id)?.heard(message, member.store);
          else if (message.kind === "compacted") {
            going.get(message.id)?.compacted(message.compactRevision, member.store);
            going.delete(message.id);
            world.probes.reached("watch ended as compacted");
            visit.isOver = true;
          }
        }
        world.probes.reached("watch told of changes");
        if (visit.isOver) return;
        // Who reads slowly is told from history.
        if (random.chance(0.05)) await this.#doors.pause(random.between(10_000, 2_000_000));
        // Nobody asks a process that has ended, and one that stands still hears it later.
        while (member.life.isPaused) await this.#doors.pause(10_000);
        if (visit.isOver || member.life.isOver) return;
      }
    } catch (error) {
      if (!(error instanceof DkvError) && machine.platter?.isDamaged !== true) throw error;
      visit.isOver = true;
    }
  }

  /** Now and then the member is asked how far it is. */
  #look({ stream, going }: Visit): void {
    for (const [id, each] of going) {
      const through = stream.toldThrough(id);
      if (through !== undefined) each.told(through);
    }
    if (this.#doors.random.chance(0.3)) stream.requestProgress();
  }
}

function end(visit: Visit): void {
  visit.isOver = true;
  if (!visit.member.life.isOver) visit.stream.close();
}
