/**
 * Clients that set, read and delete keys, each through whichever member it has chosen, as a door would. What
 * they asked and were told is recorded for the judge; what they were not told, they do not know.
 */
import { create } from "@bufbuild/protobuf";
import { type Pending, Recorder, type RegisterAction, type RegisterResult } from "@dkv/checker";
import { DeleteCommandSchema, SetCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { DkvError } from "@dkv/server/platform/errors";
import { DamagedRecordError, type Operation } from "@dkv/store";
import type { Durability } from "../checkers/durability.ts";
import { SafetyViolation } from "../checkers/truth.ts";
import type { Machine } from "../process/machine.ts";
import type { MemberProcess } from "../process/member.ts";
import { obligation } from "../world/life.ts";
import type { Prng } from "../world/random.ts";
import type { World } from "../world/world.ts";

export interface WorkloadOptions {
  readonly clients: number;
  readonly keys: number;
  /** Between two operations of one client, on average. */
  readonly thinkMs: number;
  readonly readShare: number;
  readonly deleteShare: number;
  readonly valueBytes: number;
}

export interface ClientDeps {
  readonly world: World;
  readonly random: Prng;
  readonly machines: () => readonly Machine[];
  readonly durability: Durability;
}

/** A client gives up an operation after so long: a member that runs has answered by then, whatever it knows. */
const patienceUs = 8_000_000;

/** Asked, and not yet answered. */
interface Waiting {
  readonly untilUs: number;
  readonly giveUp: () => void;
}

type Answer =
  | { readonly kind: "ok"; readonly result: RegisterResult }
  | { readonly kind: "failed" | "unknown" };

export class Clients {
  readonly #options: WorkloadOptions;
  readonly #deps: ClientDeps;
  readonly #recorder: Recorder<RegisterAction, RegisterResult>;
  /** In the order of asking, which is that of giving up. */
  readonly #waiting = new Set<Waiting>();
  #isPatienceWatched = false;
  #values = 0;
  #isStopped = false;
  readonly counts = { ok: 0, failed: 0, unknown: 0 };

  constructor(options: WorkloadOptions, deps: ClientDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#recorder = new Recorder(() => deps.world.trace.step);
  }

  get history() {
    return this.#recorder.history();
  }

  start(): void {
    for (let number = 1; number <= this.#options.clients; number += 1) this.#pause(`c${String(number)}`);
  }

  stop(): void {
    this.#isStopped = true;
  }

  #pause(client: string): void {
    const { world, random } = this.#deps;
    world.after(random.between(0, this.#options.thinkMs * 2000), "client", () => {
      if (!this.#isStopped) this.#act(client);
    });
  }

  #act(client: string): void {
    const { random } = this.#deps;
    const machine = random.pick(this.#deps.machines());
    this.ask({ client, action: this.#draw(), machine }, () => {
      this.#pause(client);
    });
  }

  #draw(): RegisterAction {
    const { random } = this.#deps;
    const { keys, readShare, deleteShare, valueBytes } = this.#options;
    const key = `k${String(random.below(keys))}`;
    if (random.chance(readShare)) return { kind: "get", key };
    if (random.chance(deleteShare)) return { kind: "delete", key };
    this.#values += 1;
    return { kind: "set", key, value: `v${String(this.#values)}`.padEnd(random.below(valueBytes), ".") };
  }

  /** Asks once. `then` is called when it is answered, or given up. */
  ask(
    {
      client,
      action,
      machine,
    }: { readonly client: string; readonly action: RegisterAction; readonly machine: Machine },
    then: (answer: Answer) => void,
  ): void {
    const { world, random } = this.#deps;
    const pending = this.#recorder.begin(client, action);
    world.trace.note("ask", machine.index, [client, action.kind, action.key]);
    const { member } = machine;
    const mustAnswer = obligation(member?.life);
    const waiting: Waiting = {
      untilUs: world.nowUs + patienceUs,
      giveUp: () => {
        if (mustAnswer())
          world.fail(
            new SafetyViolation(`${machine.name} never answered ${client}: ${action.kind} ${action.key}`),
          );
        finish({ kind: "unknown" });
      },
    };
    const finish = (answer: Answer): void => {
      if (!this.#waiting.delete(waiting)) return;
      this.#settle(pending, answer, action);
      world.trace.note("answer", machine.index, [client, action.kind, action.key, answer.kind]);
      then(answer);
    };
    this.#waiting.add(waiting);
    this.#watchPatience();
    const delayUs = random.between(50, 500);
    if (member === undefined) {
      world.after(delayUs, "client", () => {
        finish({ kind: "failed" });
      });
      return;
    }
    // The request is on its way: if the process ends before it is there, nobody will ever answer.
    member.life.after(delayUs, "client", () => {
      void this.#serve(machine, member, action).then((answer) => {
        world.after(random.between(50, 500), "client", () => {
          if (answer.kind === "ok" && answer.write !== undefined)
            this.#deps.durability.acknowledged(answer.write);
          finish(answer);
        });
      });
    });
  }

  /** One event for all that wait: one for each would be in everybody's way for eight seconds. */
  #watchPatience(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#isPatienceWatched) return;
    const { world } = this.#deps;
    this.#isPatienceWatched = true;
    world.after(first.untilUs - world.nowUs, "client", () => {
      this.#isPatienceWatched = false;
      for (const { untilUs, giveUp } of this.#waiting) {
        if (untilUs > world.nowUs) break;
        giveUp();
      }
      this.#watchPatience();
    });
  }

  /** What the door does. */
  async #serve(machine: Machine, { replica }: MemberProcess, action: RegisterAction): Promise<Served> {
    try {
      return await carryOut(replica, action);
    } catch (error) {
      if (error instanceof DkvError) return { kind: error.retry === "outcomeUnknown" ? "unknown" : "failed" };
      // The process is about to end for it.
      const isDamage = error instanceof DamagedRecordError && machine.platter?.isDamaged === true;
      if (!isDamage) this.#deps.world.fail(error);
      return { kind: action.kind === "get" ? "failed" : "unknown" };
    }
  }

  #settle(pending: Pending<RegisterResult>, answer: Answer, { kind }: RegisterAction): void {
    const { probes } = this.#deps.world;
    this.counts[answer.kind] += 1;
    const isRead = kind === "get";
    switch (answer.kind) {
      case "ok":
        pending.ok(answer.result);
        probes.reached(isRead ? "read served" : "write acknowledged");
        return;
      case "failed":
        pending.failed();
        probes.reached(isRead ? "read refused" : "write refused");
        return;
      case "unknown":
        pending.unknown();
        if (!isRead) probes.reached("write outcome unknown");
    }
  }
}

type Served =
  | {
      readonly kind: "ok";
      readonly result: RegisterResult;
      readonly write?: {
        readonly key: string;
        readonly value: string | undefined;
        readonly revision: number;
      };
    }
  | { readonly kind: "failed" | "unknown" };

async function carryOut(replica: MemberProcess["replica"], action: RegisterAction): Promise<Served> {
  const { key } = action;
  if (action.kind === "get") {
    await replica.readBarrier();
    const found = replica.get(Buffer.from(key));
    return { kind: "ok", result: { value: found && Buffer.from(found.value).toString("latin1") } };
  }
  const value = action.kind === "delete" ? undefined : action.value;
  const result = await replica.propose(operationOf(action));
  if (result.kind === "delete") {
    const { revision } = result;
    const applied = result.deleted > 0;
    return { kind: "ok", result: { applied }, ...(applied && { write: { key, value, revision } }) };
  }
  return { kind: "ok", result: {}, write: { key, value, revision: result.revision } };
}

function operationOf(action: Exclude<RegisterAction, { kind: "get" }>): Operation {
  const key = Buffer.from(action.key);
  if (action.kind === "delete") return { case: "delete", value: create(DeleteCommandSchema, { key }) };
  return { case: "set", value: create(SetCommandSchema, { key, value: Buffer.from(action.value) }) };
}
