/**
 * Clients that append to several lists, and read them, in one transaction. A list is the keys that begin
 * with its name, in the order in which they were made.
 */
import { type ListAction, type ListResult, Recorder } from "@dkv/checker";
import { RangeOrder, RangeTarget } from "@dkv/protocol/dkv/peer/v1/command";
import type { TxnResult } from "@dkv/store";
import { keyText } from "../disk/platter.ts";
import type { Doors } from "./doors.ts";
import { rangeOf, setOf, txnOf } from "./operations.ts";

const lists = 3;

export class Lists {
  readonly #doors: Doors;
  readonly #recorder: Recorder<readonly ListAction[], ListResult>;
  #elements = 0;

  constructor(doors: Doors) {
    this.#doors = doors;
    this.#recorder = new Recorder(() => doors.world.trace.step);
  }

  get history() {
    return this.#recorder.history();
  }

  start(clients: number): void {
    this.#doors.run(clients, 100, (client) => this.#act(`l${String(client)}`));
  }

  async #act(client: string): Promise<void> {
    const { random, world } = this.#doors;
    const actions = Array.from({ length: random.between(1, 4) }, () => this.#draw());
    const pending = this.#recorder.begin(client, actions);
    const operation = txnOf([], actions.map(operationOf));
    const reply = await this.#doors.ask((member) => member.propose(operation));
    if (reply.kind === "ok" && reply.value.kind === "txn") {
      pending.ok(resultOf(reply.value));
      world.probes.reached("lists appended to");
    } else pending[reply.kind === "failed" ? "failed" : "unknown"]();
  }

  #draw(): ListAction {
    const { random } = this.#doors;
    const key = `l/${String(random.below(lists))}/`;
    if (random.chance(0.5)) return { kind: "read", key };
    this.#elements += 1;
    // Those of one transaction are in the order of their names.
    return { kind: "append", key, element: `e${String(this.#elements).padStart(6, "0")}` };
  }
}

function operationOf(action: ListAction) {
  if (action.kind === "append") return setOf(`${action.key}${action.element}`, "");
  const inOrder = { order: RangeOrder.ASCENDING, target: RangeTarget.CREATE_REVISION };
  return { case: "range", value: rangeOf(action.key, `${action.key}\xff`, inOrder) } as const;
}

const resultOf = ({ results }: TxnResult): ListResult =>
  results.map((result) =>
    result.kind === "range" ? result.found.map(({ key }) => keyText(key).slice("l/0/".length)) : undefined,
  );
