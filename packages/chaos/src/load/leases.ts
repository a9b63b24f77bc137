/** Clients that set keys with a time to live, keep some alive for a while, and see when they are gone. */
import { nowMs, sleep } from "../platform/time.ts";
import { Crew, type Turn } from "./crew.ts";
import { LeaseBook } from "./lease-book.ts";
import type { Store } from "./store.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const prefix = "leased/";
const loops = { count: 4, name: "lease", paceMs: 50 };
const longestTtl = 3;
const lookEveryMs = 150;

/** A key, and its lease if the holder knows it. */
interface Life {
  readonly key: string;
  readonly lease: bigint | undefined;
  readonly ttlSeconds: number;
}

export class Leases implements Workload {
  readonly title = "leases";
  readonly promise = "no key was gone before its time, none is left behind";
  readonly #crew: Crew;
  readonly #book = new LeaseBook();
  readonly #work: Promise<void>;
  #granted = 0;
  #kept = 0;
  #ended = 0;

  /** Begins at once. */
  constructor(options: WorkloadOptions) {
    this.#crew = new Crew(options);
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
    return `${String(this.#granted)} granted, kept alive ${String(this.#kept)} times, ${String(this.#ended)} seen to end`;
  }

  async abandon(): Promise<void> {
    this.#crew.abandon();
    await this.#work;
  }

  async stop(): Promise<void> {
    const crew = this.#crew;
    crew.end();
    await this.#work;
    const restsFromMs = nowMs();
    while (!crew.isOver) {
      const page = await crew.insist("the keys with leases", (client) => client.listPage({ prefix }));
      if (page === undefined || page.found.length === 0) return;
      crew.complain(
        this.#book.left(
          page.found.map(({ key }) => key),
          nowMs() - restsFromMs,
        ),
      );
      await sleep(lookEveryMs);
    }
  }

  async #act({ name, random, client, round }: Turn): Promise<boolean> {
    const life = await this.#begin(client, {
      key: `${prefix}${name}/${String(round)}`,
      ttlSeconds: random.between(1, longestTtl),
      isBare: random.chance(0.3),
    });
    if (life === undefined) return false;
    this.#granted += 1;
    this.tally.wrote(nowMs());
    const { clients, ending } = this.#crew;
    const renewals = life.lease === undefined ? 0 : random.below(4);
    for (let turn = 0; turn < renewals && !ending.aborted; turn += 1) {
      await sleep(random.below(life.ttlSeconds * 900), ending);
      if (!(await this.#look(clients.next(turn), life))) return true;
      await this.#keepAlive(clients.next(turn + 1), life);
    }
    if (random.chance(0.2) && (await this.#revoke(client, life))) return true;
    // Whoever dies without a word leaves it to time.
    while (!ending.aborted && (await this.#look(clients.next(random.below(8)), life)))
      await sleep(lookEveryMs, ending);
    return true;
  }

  /** With a lease of its own, or with the set alone. */
  async #begin(
    client: Store,
    {
      key,
      ttlSeconds,
      isBare,
    }: { readonly key: string; readonly ttlSeconds: number; readonly isBare: boolean },
  ): Promise<Life | undefined> {
    const crew = this.#crew;
    const askedMs = nowMs();
    if (isBare) {
      const set = await crew.ask(() => client.set(key, "", { ttlSeconds }));
      if (set.kind !== "ok") return undefined;
      this.#book.promised(key, { askedMs, ttlSeconds });
      return { key, lease: undefined, ttlSeconds };
    }
    const granted = await crew.ask(() => client.grantLease(ttlSeconds));
    if (granted.kind !== "ok") return undefined;
    const { id, ttlSeconds: grantedSeconds } = granted.value;
    this.#book.promised(key, { askedMs, ttlSeconds: grantedSeconds });
    const set = await crew.ask(() => client.set(key, "", { lease: id }));
    if (set.kind === "ok") return { key, lease: id, ttlSeconds: grantedSeconds };
    if (set.error.code === "lease_not_found") crew.complain(this.#book.gone(key, nowMs()));
    this.#book.forget(key);
    return undefined;
  }

  /** Whether it is there, or that is not known. */
  async #look(client: Store, { key }: Life): Promise<boolean> {
    const reply = await this.#crew.ask(() => client.get(key));
    if (reply.kind !== "ok" || reply.value !== undefined) return true;
    this.#crew.complain(this.#book.gone(key, nowMs()));
    this.#ended += 1;
    this.#book.forget(key);
    return false;
  }

  async #keepAlive(client: Store, { key, lease }: Life): Promise<void> {
    if (lease === undefined) return;
    const askedMs = nowMs();
    const reply = await this.#crew.ask(() => client.keepLeaseAlive(lease));
    if (reply.kind === "ok") {
      this.#kept += 1;
      this.#book.promised(key, { askedMs, ttlSeconds: reply.value.ttlSeconds });
    } else if (reply.error.code === "lease_not_found") this.#crew.complain(this.#book.gone(key, nowMs()));
  }

  /** Whether it is gone, as it has to be when that is acknowledged. */
  async #revoke(client: Store, { key, lease }: Life): Promise<boolean> {
    if (lease === undefined) return false;
    this.#book.forget(key);
    if ((await this.#crew.ask(() => client.revokeLease(lease))).kind !== "ok") return false;
    const reply = await this.#crew.ask(() => this.#crew.clients.all().get(key));
    if (reply.kind === "ok" && reply.value !== undefined)
      this.#crew.complain(`${key} is there after its lease was revoked`);
    return true;
  }
}
