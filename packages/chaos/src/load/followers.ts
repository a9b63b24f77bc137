/** Clients that change some keys, and others that watch all of them, now at this member and now at that one. */
import { DkvClientError, op } from "@dkv/client";
import { limited, nowMs, sleep } from "../platform/time.ts";
import { Crew, type Turn } from "./crew.ts";
import { type Change, type Found, judgeFollowed, type Told, type Write } from "./followed.ts";
import type { Batch, Store } from "./store.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

const prefix = "followed/";
const keys = Array.from({ length: 8 }, (_, key) => `${prefix}${String(key)}`);
const loops = { count: 2, name: "followed", paceMs: 80 };
const watches = 3;
/** What was told is judged after so long. */
const chapterMs = 25_000;
/** How long a watch may be behind: no fault lasts so long. */
const patienceMs = 120_000;

interface Watcher {
  /** Not judged yet. */
  readonly told: Told[];
  /** All before it has been told. */
  next: number;
}

export class Followers implements Workload {
  readonly title = "watches";
  readonly promise = "each was told everything, in order, once";
  readonly #crew: Crew;
  readonly #watchers: Watcher[] = [];
  readonly #writes: Write[] = [];
  readonly #leaving = new AbortController();
  readonly #work: Promise<unknown>;
  #state: ReadonlyMap<string, Found> = new Map();
  /** All up to this revision. */
  #judged = 0;
  #values = 0;
  #events = 0;
  #reconnects = 0;

  /** Begins at once. */
  constructor(options: WorkloadOptions) {
    this.#crew = new Crew(options);
    this.#work = this.#run();
    this.#work.catch(() => undefined);
  }

  get tally() {
    return this.#crew.tally;
  }

  get verdict() {
    return this.#crew.verdict;
  }

  get details(): string {
    return `${String(this.#events)} changes told to each of ${String(watches)}, who lost their member ${String(this.#reconnects)} times`;
  }

  async stop(): Promise<void> {
    this.#crew.end();
    await this.#work;
  }

  async abandon(): Promise<void> {
    this.#crew.abandon();
    await this.#work;
  }

  async #run(): Promise<void> {
    const crew = this.#crew;
    const first = await crew.insist("a revision to watch from", (client) =>
      client.listPage({ prefix }, { limit: 1 }),
    );
    if (first === undefined) return;
    const following = Array.from({ length: watches }, async (_, index) => {
      const watcher = { told: [], next: first.header.revision + 1 };
      this.#watchers.push(watcher);
      await this.#follow(watcher, index);
    });
    try {
      // One more after the end, when all is healed.
      for (let isLast = false; !isLast && !crew.isOver; ) {
        isLast = crew.ending.aborted;
        await crew.loop({ ...loops, until: limited(chapterMs, crew.ending) }, (turn) => this.#write(turn));
        await this.#compare();
      }
    } finally {
      this.#leaving.abort();
    }
    await Promise.all(following);
  }

  async #write({ random, client }: Turn): Promise<boolean> {
    const [one = "", other = ""] = random.shuffled(keys);
    const changed = random.chance(0.3) ? [one, other] : [one];
    const isDeletion = changed.length === 1 && random.chance(0.2);
    const changes = changed.map((key) => ({ key, value: isDeletion ? undefined : this.#newValue() }));
    const reply = await this.#crew.ask(() => this.#perform(client, changes));
    if (reply.kind !== "ok") return false;
    this.tally.wrote(nowMs());
    return true;
  }

  #newValue(): string {
    this.#values += 1;
    return `v${String(this.#values)}`;
  }

  /** Resolves to the revision. What fails has not been written. */
  async #perform(client: Store, changes: readonly Change[]): Promise<number> {
    try {
      const operations = changes.map(({ key, value }) =>
        value === undefined ? op.delete(key) : op.set(key, value),
      );
      const { results, header } = await client.txn({ success: operations });
      const isIdle = results.some((result) => result.kind === "delete" && result.deleted === 0);
      const outcome = { kind: "ok", revision: header.revision } as const;
      this.#writes.push({ changes: isIdle ? [] : changes, outcome });
      return header.revision;
    } catch (error) {
      if (error instanceof DkvClientError && error.retry === "outcomeUnknown")
        this.#writes.push({ changes, outcome: { kind: "unknown" } });
      throw error;
    }
  }

  async #follow(watcher: Watcher, index: number): Promise<void> {
    const { signal } = this.#leaving;
    const random = this.#crew.randomFor(`watch-${String(index)}`);
    const onReconnect = (): void => {
      this.#reconnects += 1;
    };
    for (let turn = index; !signal.aborted; turn += 1) {
      const client = this.#crew.clients.next(turn);
      const watch = client.watch({ prefix }, { startRevision: watcher.next, signal, onReconnect });
      // After so many it goes on with a watch of its own at another member.
      let left = random.magnitude(10, 500);
      try {
        for await (const batch of watch.batches()) {
          hear(watcher, batch);
          left -= 1;
          if (left <= 0) break;
        }
      } catch (error) {
        if (!(error instanceof DkvClientError)) throw error;
        if (error.code === "compacted") this.#crew.complain(`a watch lost changes: ${error.message}`);
        await sleep(200, signal);
      }
    }
  }

  /** Judges what was told so far. Nobody writes meanwhile. */
  async #compare(): Promise<void> {
    const crew = this.#crew;
    const revision = await crew.insist("a write to be told", (client) =>
      this.#perform(client, [{ key: `${prefix}mark`, value: this.#newValue() }]),
    );
    if (revision === undefined) return;
    await this.#waitFor(revision);
    const page = await crew.insist("the keys that are watched", (client) =>
      client.listPage({ prefix }, { revision, limit: 100 }),
    );
    if (page === undefined) return;
    const found = new Map(
      page.found.map(({ key, value, modRevision }): [string, Found] => [
        key,
        { value: Buffer.from(value).toString(), revision: modRevision },
      ]),
    );
    const told = this.#watchers.map((watcher) => takeThrough(watcher, revision));
    const writes = this.#writes.splice(0);
    const verdict = judgeFollowed({ told, writes, since: this.#judged, before: this.#state, found });
    if (verdict.kind === "violated") {
      crew.complain(verdict.report);
      return;
    }
    this.#writes.push(...verdict.open);
    this.#state = found;
    this.#judged = revision;
    this.#events += told[0]?.reduce((sum, { events }) => sum + events.length, 0) ?? 0;
    await this.#compact(revision);
  }

  async #waitFor(revision: number): Promise<void> {
    const deadlineMs = nowMs() + patienceMs;
    while (!this.#crew.isOver) {
      const behind = this.#watchers.findIndex(({ next }) => next <= revision);
      if (behind < 0) return;
      if (nowMs() > deadlineMs)
        this.#crew.complain(`watch ${String(behind)} was not told of ${String(revision)} for two minutes`);
      await sleep(50);
    }
  }

  /** All have followed so far: nobody may miss what is given up, and long runs do not fill disks. */
  async #compact(revision: number): Promise<void> {
    await this.#crew.clients
      .all()
      .compact(revision)
      .catch((error: unknown) => {
        if (!(error instanceof DkvClientError)) throw error;
      });
  }
}

function hear(watcher: Watcher, { revision, events }: Batch): void {
  const heard = events.map(({ kind, kv }) => ({
    key: kv.key,
    value: kind === "set" ? Buffer.from(kv.value).toString() : undefined,
    revision: kv.modRevision,
  }));
  watcher.told.push({ revision, events: heard });
  watcher.next = Math.max(watcher.next, revision + 1);
}

/** What it was told up to a revision. What it was told of later ones is left for the next time. */
function takeThrough(watcher: Watcher, revision: number): readonly Told[] {
  const all = watcher.told.splice(0);
  watcher.told.push(
    ...all
      .filter((one) => one.revision > revision)
      .map((one) => ({ ...one, events: one.events.filter((event) => event.revision > revision) })),
  );
  return all.map((one) => ({
    revision: Math.min(one.revision, revision),
    events: one.events.filter((event) => event.revision <= revision),
  }));
}
