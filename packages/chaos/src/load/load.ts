/** Clients that write, read and delete, and remember what they saw, while others judge it. */
import type { RegisterAction } from "@dkv/checker";
import { type DkvClient, DkvClientError } from "@dkv/client";
import type { Member } from "@dkv/cluster";
import type { Clients } from "../cluster/clients.ts";
import { Trouble } from "../cluster/fleet.ts";
import { nowMs, sleep } from "../platform/time.ts";
import { Random } from "../random.ts";
import { Archive } from "./archive.ts";
import { judge } from "./judge.ts";
import { Tally } from "./tally.ts";
import { padded, unpadded } from "./values.ts";
import { Window } from "./window.ts";

const keysOfWindow = 10;
/** A window is closed after so many operations, or so long. */
const windowSize = 8_000;
const windowMs = 20_000;
/** What each client waits between two operations: the machine has to run the cluster as well. */
const paceMs = 12;
/** How long reads that must succeed are repeated: no fault lasts so long. */
const readPatienceMs = 90_000;
/** How long after healing a member may take to serve writes and reads: many elections fit in. */
const usePatienceMs = 30_000;

export interface LoadOptions {
  readonly clients: Clients;
  readonly seed: number;
  /** When the run began: times in histories count from there, as those of everything else that is told. */
  readonly startedMs: number;
  /** Loops, each with one operation at a time. */
  readonly writers: number;
  /** The history is wrong, or could not be judged. Called at most once. */
  readonly onVerdict: (verdict: BadVerdict) => void;
}

export interface BadVerdict {
  readonly kind: "violated" | "undecided" | "unreadable";
  readonly report: string;
}

export class Load {
  readonly tally = new Tally(nowMs());
  readonly #options: LoadOptions;
  readonly #archive = new Archive();
  readonly #ending = new AbortController();
  readonly #work: Promise<unknown>;
  #windows = 0;
  #proofs = 0;
  #window: Window;
  #isBad = false;

  /** Begins at once. */
  constructor(options: LoadOptions) {
    this.#options = options;
    this.#window = this.#nextWindow();
    const loops = Array.from({ length: options.writers }, (_, writer) => this.#run(writer));
    this.#work = Promise.all([...loops, this.#judgeWindows()]);
    this.#work.catch(() => undefined);
  }

  /** Windows judged or under way. */
  get windows(): number {
    return this.#windows;
  }

  /** Ends the clients, and judges nothing more: the cluster is beyond asking. */
  async abandon(): Promise<void> {
    this.#isBad = true;
    this.#ending.abort();
    await this.#work;
  }

  /** Ends the clients and judges what is left, and whether everything older is still there. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#work;
    if (this.#isBad) return;
    await this.#close(this.#window);
    for (const key of this.#archive.keys) {
      const found = await this.#readArchived(key);
      if (found !== undefined) this.#condemn({ kind: "violated", report: found });
      if (this.#isBad) return;
    }
  }

  /**
   * Resolves once a client of each of the members has had a write acknowledged, and has read the key again,
   * which only the member itself answers: a client that knows the leader writes there. At once if the load
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
    const name = `proof-${member.name}`;
    const random = new Random(this.#options.seed, `${name} ${proof}`);
    const deadlineMs = nowMs() + patienceMs;
    for (let round = 0; !this.#ending.signal.aborted && !this.#isBad; round += 1) {
      const value = `${name}-${proof}-${String(round)}`;
      const key = random.pick(this.#window.keys);
      const client = this.#options.clients.of(member);
      const error =
        (await this.#perform(name, { kind: "set", key, value }, client)) ??
        (await this.#perform(name, { kind: "get", key }, client));
      if (error === undefined) return;
      if (nowMs() > deadlineMs) {
        throw new Trouble(
          `all is healed, and clients of ${member.name} cannot write and read for ${String(patienceMs / 1000)} s: ${error.code}, ${error.message}`,
        );
      }
      await sleep(200, this.#ending.signal);
    }
  }

  async #run(writer: number): Promise<void> {
    const name = `client-${String(writer)}`;
    const random = new Random(this.#options.seed, name);
    for (let round = 0; !this.#ending.signal.aborted; round += 1) {
      const key = random.pick(this.#window.keys);
      const action = drawAction(random, key, `${String(writer)}-${String(round)}`);
      const error = await this.#perform(name, action, this.#options.clients.next(writer + round));
      await sleep(error === undefined ? random.below(2 * paceMs) : 10 * paceMs, this.#ending.signal);
    }
  }

  /** Resolves to why it was not acknowledged, if so. */
  async #perform(
    name: string,
    action: RegisterAction,
    client: DkvClient,
  ): Promise<DkvClientError | undefined> {
    const { pending, end } = this.#window.begin(name, action);
    try {
      pending.ok(await ask(client, action));
      this.tally.acknowledged += 1;
      if (action.kind !== "get") this.tally.wrote(nowMs());
      return undefined;
    } catch (error) {
      if (!(error instanceof DkvClientError)) throw error;
      if (action.kind !== "get" && error.retry === "outcomeUnknown") {
        pending.unknown();
        this.tally.unknown += 1;
      } else {
        pending.failed();
        this.tally.failed += 1;
      }
      return error;
    } finally {
      end();
    }
  }

  #nextWindow(): Window {
    this.#windows += 1;
    const name = (key: number): string => `${String(this.#windows)}/${String(key)}`;
    const keys = Array.from({ length: keysOfWindow }, (_, key) => name(key));
    return new Window(keys, () => nowMs() - this.#options.startedMs);
  }

  /** Closes one window after the other; the next one is not closed before this one is judged. */
  async #judgeWindows(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted && !this.#isBad) {
      const endMs = nowMs() + windowMs;
      while (!signal.aborted && nowMs() < endMs && this.#window.size < windowSize) await sleep(250, signal);
      if (signal.aborted) return;
      const full = this.#window;
      this.#window = this.#nextWindow();
      await this.#close(full);
    }
  }

  async #close(window: Window): Promise<void> {
    await window.settled();
    const final = new Map<string, string>();
    for (const key of window.keys) {
      const value = await this.#readLast(window, key);
      if (this.#isBad) return;
      if (value !== undefined) final.set(key, value);
    }
    const history = window.history();
    const judgement = await judge(history, final);
    if (judgement.kind === "violated") this.#condemn(judgement);
    if (judgement.kind === "undecided") {
      this.#condemn({
        kind: "undecided",
        report: `the history of ${judgement.key} is too tangled to be judged`,
      });
    }
    this.#archive.add(history, final);
  }

  async #readLast(window: Window, key: string): Promise<string | undefined> {
    return this.#insist(key, async (client) => {
      const action = { kind: "get", key } as const;
      const { pending, end } = window.begin("last reader", action);
      try {
        const result = await ask(client, action);
        pending.ok(result);
        return result.value;
      } catch (error) {
        pending.failed();
        throw error;
      } finally {
        end();
      }
    });
  }

  /** What is wrong with it, if anything is. */
  async #readArchived(key: string): Promise<string | undefined> {
    const value = await this.#insist(key, async (client) => (await ask(client, { kind: "get", key })).value);
    return this.#isBad ? undefined : this.#archive.complaint(key, value);
  }

  async #insist<Result>(
    key: string,
    read: (client: DkvClient) => Promise<Result>,
  ): Promise<Result | undefined> {
    const deadlineMs = nowMs() + readPatienceMs;
    for (;;) {
      try {
        return await read(this.#options.clients.all());
      } catch (error) {
        if (!(error instanceof DkvClientError)) throw error;
        if (this.#isBad) return undefined;
        if (nowMs() > deadlineMs) {
          this.#condemn({
            kind: "unreadable",
            report: `${key} cannot be read: ${error.code}, ${error.message}`,
          });
          return undefined;
        }
        await sleep(200);
      }
    }
  }

  #condemn(verdict: BadVerdict): void {
    if (this.#isBad) return;
    this.#isBad = true;
    this.#options.onVerdict(verdict);
  }
}

function drawAction(random: Random, key: string, value: string): RegisterAction {
  if (random.chance(0.5)) return { kind: "get", key };
  return random.chance(0.15) ? { kind: "delete", key } : { kind: "set", key, value };
}

async function ask(
  client: DkvClient,
  action: RegisterAction,
): Promise<{ readonly value?: string | undefined; readonly applied?: boolean }> {
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
