/** Clients that take turns with one lock, and write under it: while they hold it, and when they do not any more. */
import { compare, type DkvClient, type Lock, op } from "@dkv/client";
import { limited, nowMs, sleep } from "../platform/time.ts";
import { Crew, type Turn } from "./crew.ts";
import { LockBook } from "./lock-book.ts";
import type { Access } from "./store.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const name = "lock";
/** Written under the lock. */
const guarded = "guarded-by-lock";
const ttlSeconds = 2;
const loops = { count: 4, name: "lock", paceMs: 100 };
/** How long a client waits for the lock. */
const waitMs = 20_000;

export class Locks implements Workload {
  readonly title = "locks";
  readonly promise = "one holder at a time, tokens rise, who has lost the lock is refused";
  readonly #crew: Crew;
  /** The lock is that of dkv's client. */
  readonly #clients: Access<DkvClient>;
  readonly #book = new LockBook();
  readonly #work: Promise<void>;
  #taken = 0;
  #lost = 0;
  #refused = 0;

  /** Begins at once. */
  constructor(options: WorkloadOptions) {
    this.#crew = new Crew(options);
    this.#clients = options.clients.dkv;
    this.#work = this.#crew.loop(loops, (turn) => this.#act(turn));
    this.#work.catch(() => undefined);
  }

  get tally() {
    return this.#crew.tally;
  }

  get verdict() {
    return this.#crew.verdict;
  }

  get details(): string {
    return `taken ${String(this.#taken)} times, lost ${String(this.#lost)} times, ${String(this.#refused)} late writes refused`;
  }

  async stop(): Promise<void> {
    this.#crew.end();
    await this.#work;
  }

  async abandon(): Promise<void> {
    this.#crew.abandon();
    await this.#work;
  }

  async #act({ random, round }: Turn): Promise<boolean> {
    const crew = this.#crew;
    const client = this.#clients.next(random.below(8) + round);
    const above = this.#book.greatestToken;
    const reply = await crew.ask(() =>
      client.lock(name, { ttlSeconds, signal: limited(waitMs, crew.ending) }),
    );
    if (reply.kind !== "ok") return false;
    const lock = reply.value;
    const token = lock.fencingToken;
    this.#taken += 1;
    this.tally.wrote(nowMs());
    crew.complain(this.#book.held(token, { above, nowMs: crew.now() }));
    lock.lost.addEventListener("abort", () => {
      this.#lost += 1;
      this.#ended(token);
    });
    // Longer than its lease, now and then: that is kept alive, or lost.
    const holdMs = random.chance(0.1) ? 2_000 * ttlSeconds : random.below(300);
    await this.#write(client, lock, false);
    await sleep(holdMs, AbortSignal.any([crew.ending, lock.lost]));
    await this.#write(client, lock, false);
    this.#ended(token);
    const isOver = random.chance(0.2) ? await this.#rob(client, lock) : await this.#release(lock);
    if (isOver && random.chance(0.5)) await this.#write(this.#clients.all(), lock, true);
    return isOver;
  }

  #ended(token: number): void {
    this.#crew.complain(this.#book.ended(token, this.#crew.now()));
  }

  async #release(lock: Lock): Promise<boolean> {
    return (await this.#crew.ask(() => lock.release())).kind === "ok";
  }

  /** Takes the lease away from it, behind its back. */
  async #rob(client: DkvClient, lock: Lock): Promise<boolean> {
    const lease = BigInt.asIntN(64, BigInt(`0x${lock.key.slice(-16)}`));
    const reply = await this.#crew.ask(() => client.revokeLease(lease));
    // It is gone; this ends the watch, and what keeps it alive.
    await this.#release(lock);
    return reply.kind === "ok";
  }

  /** Writes if the lock is held still. @param isTooLate whether it was seen to be held no more */
  async #write(client: DkvClient, { key, fencingToken }: Lock, isTooLate: boolean): Promise<void> {
    const above = this.#book.greatestToken;
    const compares = [compare(key).createRevision.is(fencingToken)];
    const success = [op.set(guarded, String(fencingToken))];
    const reply = await this.#crew.ask(() => client.txn({ compares, success }));
    if (reply.kind !== "ok") return;
    const { succeeded, header } = reply.value;
    if (!succeeded) this.#refused += 1;
    else if (isTooLate)
      this.#crew.complain(`a write under token ${String(fencingToken)} was done after the lock had ended`);
    else this.#crew.complain(this.#book.wrote({ token: fencingToken, revision: header.revision, above }));
  }
}
