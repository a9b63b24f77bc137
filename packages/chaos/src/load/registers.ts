/** Clients that write, read and delete keys, each by itself: every key is a register. */
import type { RegisterAction, RegisterResult } from "@dkv/checker";
import type { DkvClientError } from "@dkv/client";
import type { Member } from "@dkv/cluster";
import { Trouble } from "../cluster/fleet.ts";
import { nowMs, sleep } from "../platform/time.ts";
import type { Random } from "../random.ts";
import { Archive } from "./archive.ts";
import { Crew, type Turn } from "./crew.ts";
import { judge } from "./judge.ts";
import type { Store } from "./store.ts";
import { padded, unpadded } from "./values.ts";
import type { Window } from "./window.ts";
import { Windows } from "./windows.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const keysOfWindow = 10;
const windowSize = 8_000;
const windowMs = 20_000;
/** The machine has to run the cluster as well. */
const paceMs = 12;
/** How long after healing a member may take to serve writes and reads: many elections fit in. */
const usePatienceMs = 30_000;

export interface RegistersOptions extends WorkloadOptions {
  /** Loops, each with one operation at a time. */
  readonly writers: number;
}

export class Registers implements Workload {
  readonly title = "keys";
  readonly promise = "linearizable, nothing acknowledged is missing";
  readonly #crew: Crew;
  readonly #archive = new Archive();
  readonly #windows: Windows<RegisterAction, RegisterResult>;
  readonly #work: Promise<unknown>;
  #proofs = 0;

  /** Begins at once. */
  constructor(options: RegistersOptions) {
    const crew = new Crew(options);
    this.#crew = crew;
    const keysOf = (window: number): readonly string[] =>
      Array.from({ length: keysOfWindow }, (_, key) => `${String(window)}/${String(key)}`);
    const close = (window: Window<RegisterAction, RegisterResult>): Promise<void> => this.#close(window);
    this.#windows = new Windows({ crew, keysOf, size: windowSize, ms: windowMs, close });
    const loops = crew.loop({ count: options.writers, name: "client", paceMs }, (turn) => this.#act(turn));
    this.#work = Promise.all([loops, this.#windows.run()]);
    this.#work.catch(() => undefined);
  }

  get tally() {
    return this.#crew.tally;
  }

  get verdict() {
    return this.#crew.verdict;
  }

  get details(): string {
    return `in ${String(this.#windows.count)} windows`;
  }

  async abandon(): Promise<void> {
    this.#crew.abandon();
    await this.#work;
  }

  /** Judges also whether everything older is still there. */
  async stop(): Promise<void> {
    this.#crew.end();
    await this.#work;
    if (this.#crew.isOver) return;
    await this.#windows.finish();
    for (const key of this.#archive.keys) {
      const value = await this.#crew.insist(key, (client) => ask(client, { kind: "get", key }));
      if (value === undefined) return;
      this.#crew.complain(this.#archive.complaint(key, value.value));
    }
  }

  /**
   * Resolves once a client of each of the members has had a write acknowledged, and then a read, which only
   * the member itself answers: a client that knows the leader writes there. At once if the load
   * has ended.
   * @throws {Trouble} if one of them has not after so long
   */
  async useEach(members: readonly Member[], patienceMs = usePatienceMs): Promise<void> {
    this.#proofs += 1;
    const proof = String(this.#proofs);
    await Promise.all(members.map((member) => this.#use(member, { proof, patienceMs })));
  }

  async #use(
    member: Member,
    { proof, patienceMs }: { readonly proof: string; readonly patienceMs: number },
  ): Promise<void> {
    const crew = this.#crew;
    const name = `proof-${member.name}`;
    const random = crew.randomFor(`${name} ${proof}`);
    const deadlineMs = nowMs() + patienceMs;
    for (let round = 0; !crew.ending.aborted && !crew.isOver; round += 1) {
      const value = `${name}-${proof}-${String(round)}`;
      // Of the window that there is by then, each time: another one knows nothing of what is set in this one.
      const key = (): string => random.pick(this.#windows.current.keys);
      const client = crew.clients.of(member);
      const error =
        (await this.#perform(name, { kind: "set", key: key(), value }, client)) ??
        (await this.#perform(name, { kind: "get", key: key() }, client));
      if (error === undefined) return;
      if (nowMs() > deadlineMs) {
        throw new Trouble(
          `all is healed, and clients of ${member.name} cannot write and read for ${String(patienceMs / 1000)} s: ${error.code}, ${error.message}`,
        );
      }
      await sleep(200, crew.ending);
    }
  }

  async #act({ name, random, client, round }: Turn): Promise<boolean> {
    const key = random.pick(this.#windows.current.keys);
    const action = drawAction(random, key, `${name.slice("client-".length)}-${String(round)}`);
    return (await this.#perform(name, action, client)) === undefined;
  }

  /** Resolves to why it was not acknowledged, if so. */
  async #perform(name: string, action: RegisterAction, client: Store): Promise<DkvClientError | undefined> {
    const { pending, end } = this.#windows.current.begin(name, action);
    try {
      const reply = await this.#crew.ask(() => ask(client, action));
      if (reply.kind !== "ok") {
        pending[reply.kind]();
        return reply.error;
      }
      pending.ok(reply.value);
      if (action.kind !== "get") this.tally.wrote(nowMs());
      return undefined;
    } finally {
      end();
    }
  }

  async #close(window: Window<RegisterAction, RegisterResult>): Promise<void> {
    const final = new Map<string, string>();
    for (const key of window.keys) {
      const found = await this.#readLast(window, key);
      if (found === undefined) return;
      if (found.value !== undefined) final.set(key, found.value);
    }
    const history = window.history();
    const judgement = await judge(history, final);
    if (judgement.kind === "violated") this.#crew.condemn("violated", judgement.report);
    if (judgement.kind === "undecided")
      this.#crew.condemn("undecided", `the history of ${judgement.key} is too tangled to be judged`);
    this.#archive.add(history, final);
  }

  async #readLast(
    window: Window<RegisterAction, RegisterResult>,
    key: string,
  ): Promise<RegisterResult | undefined> {
    return this.#crew.insist(key, async (client) => {
      const action = { kind: "get", key } as const;
      const { pending, end } = window.begin("last reader", action);
      try {
        const result = await ask(client, action);
        pending.ok(result);
        return result;
      } catch (error) {
        pending.failed();
        throw error;
      } finally {
        end();
      }
    });
  }
}

function drawAction(random: Random, key: string, value: string): RegisterAction {
  if (random.chance(0.5)) return { kind: "get", key };
  return random.chance(0.15) ? { kind: "delete", key } : { kind: "set", key, value };
}

async function ask(client: Store, action: RegisterAction): Promise<RegisterResult> {
  switch (action.kind) {
    case "get": {
      const found = await client.get(action.key);
      return { value: found === undefined ? undefined : unpadded(Buffer.from(found.value).toString()) };
    }
    case "set":
      await client.set(action.key, padded(action.value));
      return {};
    case "delete":
      return { applied: (await client.delete(action.key)).deleted };
    case "compareAndSet":
      throw new Error("clients of this load do not compare");
  }
}
