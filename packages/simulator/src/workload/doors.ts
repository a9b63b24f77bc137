/** How clients reach members: each asks whichever it has chosen, as through a door, and gives up after a while. */
import type { Member } from "@dkv/server/consensus/member";
import { DkvError } from "@dkv/server/platform/errors";
import { DamagedRecordError } from "@dkv/store";
import { SafetyViolation } from "../checkers/truth.ts";
import type { Machine } from "../process/machine.ts";
import { obligation } from "../world/life.ts";
import type { Prng } from "../world/random.ts";
import type { World } from "../world/world.ts";

export type Reply<Value> =
  | { readonly kind: "ok"; readonly value: Value }
  | { readonly kind: "failed" | "unknown" };

export interface DoorsDeps {
  readonly world: World;
  readonly random: Prng;
  readonly machines: () => readonly Machine[];
}

/** A client gives up after so long: a member that runs has answered by then, whatever it knows. */
const patienceUs = 8_000_000;

export class Doors {
  readonly #deps: DoorsDeps;
  #isStopped = false;

  constructor(deps: DoorsDeps) {
    this.#deps = deps;
  }

  get random(): Prng {
    return this.#deps.random;
  }

  get world(): World {
    return this.#deps.world;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Nobody begins anything new. */
  stop(): void {
    this.#isStopped = true;
  }

  someMachine(): Machine {
    return this.#deps.random.pick(this.#deps.machines());
  }

  /** So many clients, each of which does one thing after the other. What any of them throws ends the run. */
  run(clients: number, thinkMs: number, act: (client: number) => Promise<void>): void {
    const loop = async (client: number): Promise<void> => {
      for (;;) {
        await this.pause(this.random.between(0, thinkMs * 2000));
        if (this.#isStopped) return;
        await act(client);
      }
    };
    for (let client = 1; client <= clients; client += 1)
      loop(client).catch((error: unknown) => {
        this.world.fail(error);
      });
  }

  pause(us: number): Promise<void> {
    return new Promise((resolve) => {
      this.world.after(us, "client", resolve);
    });
  }

  /** Asks once: one member, or else any. Whoever is asked need not look at its disk in order to answer. */
  ask<Value>(act: (member: Member) => Promise<Value>, machine = this.someMachine()): Promise<Reply<Value>> {
    return this.#ask(act, machine, obligation(machine.member?.life));
  }

  /** Asks any member for what may have to be read from its disk, and waits for a disk that hangs. */
  read<Value>(act: (member: Member) => Promise<Value>): Promise<Reply<Value>> {
    const machine = this.someMachine();
    const isRunning = obligation(machine.member?.life);
    const isHung = (): boolean => machine.hardware.heldUntilUs > this.world.nowUs - patienceUs;
    return this.#ask(act, machine, () => isRunning() && !isHung());
  }

  #ask<Value>(
    act: (member: Member) => Promise<Value>,
    machine: Machine,
    mustAnswer: () => boolean,
  ): Promise<Reply<Value>> {
    const { world, random } = this;
    const { promise, resolve } = Promise.withResolvers<Reply<Value>>();
    const late = world.after(patienceUs, "client", () => {
      if (mustAnswer()) world.fail(new SafetyViolation(`${machine.name} never answered: ${String(act)}`));
      resolve({ kind: "unknown" });
    });
    const answer = (reply: Reply<Value>): void => {
      world.after(random.between(50, 500), "client", () => {
        late.run = undefined;
        resolve(reply);
      });
    };
    const { member } = machine;
    if (member === undefined) {
      answer({ kind: "failed" });
      return promise;
    }
    member.life.after(random.between(50, 500), "client", () => {
      act(member.replica).then(
        (value) => {
          answer({ kind: "ok", value });
        },
        (error: unknown) => {
          // A damaged record ends the process; nothing else may go wrong that is no error of dkv's.
          const isDamage = error instanceof DamagedRecordError && machine.platter?.isDamaged === true;
          if (!(error instanceof DkvError) && !isDamage) world.fail(error);
          const isCertain = error instanceof DkvError && error.retry !== "outcomeUnknown";
          answer({ kind: isCertain ? "failed" : "unknown" });
        },
      );
    });
    return promise;
  }
}
