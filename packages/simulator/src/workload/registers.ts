/**
 * Clients that compare and swap, delete intervals, read intervals, now and as they were, and that do a bit of
 * everything in one transaction.
 */
import { type Pending, Recorder, type RegisterAction, type RegisterResult } from "@dkv/checker";
import { RangeOrder, RangeTarget } from "@dkv/protocol/dkv/peer/v1/command";
import { keyText } from "../disk/platter.ts";
import type { RangeReads } from "../checkers/range-reads.ts";
import type { Doors, Reply } from "./doors.ts";
import { mixedTransaction } from "./mixed-transaction.ts";
import { compareOf, deleteOf, keyOf, rangeOf, setOf, txnOf } from "./operations.ts";

const prefix = "r/";
const keys = ["r/0", "r/1", "r/2", "r/3", "r/4"] as const;

export class Registers {
  readonly #doors: Doors;
  readonly #reads: RangeReads;
  readonly #recorder: Recorder<RegisterAction, RegisterResult>;
  #values = 0;

  constructor(doors: Doors, reads: RangeReads) {
    this.#doors = doors;
    this.#reads = reads;
    this.#recorder = new Recorder(() => doors.world.trace.step);
  }

  get history() {
    return this.#recorder.history();
  }

  start(clients: number): void {
    this.#doors.run(clients, 80, (client) => this.#act(`r${String(client)}`));
  }

  async #act(client: string): Promise<void> {
    const die = this.#doors.random.below(10);
    if (die < 4) await this.#swap(client);
    else if (die < 5) await this.#deleteInterval(client);
    else if (die < 6) await this.#readInterval(client);
    else if (die < 8) await this.#readPast();
    else await this.#mix();
  }

  async #swap(client: string): Promise<void> {
    const doors = this.#doors;
    const key = doors.random.pick(keys);
    const read = this.#recorder.begin(client, { kind: "get", key });
    const reply = await doors.ask(async (member) => {
      await member.readBarrier();
      return member.get(keyOf(key));
    });
    settle(read, reply, (found) => ({ value: found && keyText(found.value) }));
    if (reply.kind !== "ok") return;
    this.#values += 1;
    const value = `s${String(this.#values)}`;
    const expected = reply.value && keyText(reply.value.value);
    const written = this.#recorder.begin(client, { kind: "compareAndSet", key, expected, value });
    const modRevision = BigInt(reply.value?.modRevision ?? 0);
    const compare = compareOf(key, { target: { case: "modRevision", value: modRevision } });
    const operation = txnOf([compare], [setOf(key, value)], [{ case: "range", value: rangeOf(key, "") }]);
    const swapped = await doors.ask((member) => member.propose(operation));
    settle(written, swapped, (result) => ({ applied: result.kind === "txn" && result.succeeded }));
    if (swapped.kind === "ok") doors.world.probes.reached("compare and swap");
  }

  async #deleteInterval(client: string): Promise<void> {
    const doors = this.#doors;
    const [first, last] = [doors.random.below(keys.length), doors.random.below(keys.length)];
    const meant = keys.slice(first, last + 1);
    const [from] = meant;
    if (from === undefined) return;
    const pending = meant.map((key) => ({
      key,
      pending: this.#recorder.begin(client, { kind: "delete", key }),
    }));
    const reply = await doors.ask((member) =>
      member.propose(deleteOf(from, `${meant.at(-1) ?? from}\0`, true)),
    );
    for (const { key, pending: one } of pending)
      settle(one, reply, (result) => ({
        applied: result.kind === "delete" && result.previous.some((each) => keyText(each.key) === key),
      }));
    if (reply.kind === "ok") doors.world.probes.reached("interval deleted");
  }

  async #readInterval(client: string): Promise<void> {
    const pending = keys.map((key) => ({ key, pending: this.#recorder.begin(client, { kind: "get", key }) }));
    const operation = rangeOf(prefix, "r0");
    const reply = await this.#doors.read(async (member) => {
      await member.readBarrier();
      return member.range(operation);
    });
    if (reply.kind === "ok") this.#reads.read(operation, reply.value);
    for (const { key, pending: one } of pending)
      settle(one, reply, ({ found }) => {
        const value = found.find((each) => keyText(each.key) === key)?.value;
        return { value: value && keyText(value) };
      });
  }

  /** Without a barrier: what is read may be old, and has to be right for the revision that it names. */
  async #readPast(): Promise<void> {
    const { random, world } = this.#doors;
    const back = random.below(60);
    const [from, end, limit] = [
      random.pick(["\0", "k", "l/", "r/"]),
      random.pick(["\0", "s"]),
      random.below(8),
    ];
    const order = random.pick([RangeOrder.UNSPECIFIED, RangeOrder.ASCENDING, RangeOrder.DESCENDING]);
    const target = random.pick([RangeTarget.UNSPECIFIED, RangeTarget.MOD_REVISION]);
    const reply = await this.#doors.read(async (member) => {
      const revision = back === 0 ? 0 : Math.max(1, member.status().revision - back);
      const more = { revision: BigInt(revision), limit: BigInt(limit), order, target };
      const operation = rangeOf(from, end, more);
      return { operation, result: await member.range(operation) };
    });
    if (reply.kind !== "ok") return;
    this.#reads.read(reply.value.operation, reply.value.result);
    if (back > 0) world.probes.reached("range of the past read");
  }

  async #mix(): Promise<void> {
    const { random, world } = this.#doors;
    this.#values += 1;
    const operation = mixedTransaction(random, `x${String(this.#values)}`);
    const reply = await this.#doors.ask((member) => member.propose(operation));
    world.probes.reached(reply.kind === "failed" ? "transaction refused" : "transaction of many operations");
  }
}

function settle<Value>(
  pending: Pending<RegisterResult>,
  reply: Reply<Value>,
  resultOf: (value: Value) => RegisterResult,
): void {
  if (reply.kind === "ok") pending.ok(resultOf(reply.value));
  else pending[reply.kind]();
}
