import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type DkvClient, DkvClientError, type WatchEvent } from "@dkv/client";
import type { Cluster } from "@dkv/cluster";
import { addresses, connect, connectToEach, runningCluster, text } from "./fixture.ts";
import { killLeader, Progress } from "./killing.ts";

const kills = 20;
const watchers = 100;
const writers = 64;
/** Between two writes of one writer: each of them is told a hundred times, by three processes on this machine. */
const pauseMs = 200;

/** What became of each revision, as whoever has seen it first tells. */
class Record {
  readonly #changes = new Map<number, string>();

  get size(): number {
    return this.#changes.size;
  }

  note(revision: number, change: string): void {
    const known = this.#changes.get(revision);
    if (known === undefined) this.#changes.set(revision, change);
    else assert.equal(change, known, `two accounts of revision ${String(revision)}`);
  }

  has(revision: number): boolean {
    return this.#changes.has(revision);
  }
}

interface Writes {
  readonly acknowledged: Progress;
  /** Ends the writers. */
  stop(): Promise<void>;
}

/** Nothing else is written to the cluster, so that each revision is one of these writes. */
function startWriters(clients: readonly DkvClient[], record: Record, signal: AbortSignal): Writes {
  const acknowledged = new Progress();
  const stop = new AbortController();
  const isOver = AbortSignal.any([stop.signal, signal]);
  const write = async (writer: number): Promise<void> => {
    for (let round = 0; !isOver.aborted; round += 1) {
      const client = clients[(writer + round) % clients.length];
      const [key, value] = [`load/${String(writer)}`, String(round)];
      try {
        const { header } = await (client ?? assert.fail("a load needs a client")).set(key, value);
        record.note(header.revision, `${key} = ${value}`);
        acknowledged.advance();
      } catch (error) {
        if (!(error instanceof DkvClientError) || error.retry === "never") throw error;
      }
      await delay(pauseMs);
    }
  };
  const loops = Array.from({ length: writers }, (_, writer) => write(writer));
  return {
    acknowledged,
    async stop() {
      stop.abort();
      await Promise.all(loops);
    },
  };
}

function describeChange({ kind, kv }: WatchEvent): string {
  return kind === "set" ? `${kv.key} = ${text(kv.value) ?? ""}` : `${kv.key} is deleted`;
}

interface Follower {
  /** How often it had to look for another member. */
  reconnects: number;
  /** Resolves at the last revision, which somebody names when it is known. */
  readonly done: Promise<void>;
}

/** Follows all keys. Resolves when the first member has taken up the watch. */
async function follow(client: DkvClient, startRevision: number, record: Record): Promise<Follower> {
  const onReconnect = (): void => {
    follower.reconnects += 1;
  };
  const watch = client.watch({ prefix: "" }, { startRevision, onReconnect });
  await watch.open();
  const read = async (): Promise<void> => {
    let expected = startRevision;
    for await (const event of watch) {
      assert.equal(event.kv.modRevision, expected, "each revision once, in order, with none left out");
      if (event.kv.key === "the end") break;
      record.note(expected, describeChange(event));
      expected += 1;
    }
  };
  const follower: Follower = { reconnects: 0, done: read() };
  return follower;
}

/** Half of them know all members, in different orders, and half of them one member only. */
async function watchingClients(test: TestContext, cluster: Cluster): Promise<readonly DkvClient[]> {
  const all = addresses(cluster);
  const orders = all.map((_, at) => [...all.slice(at), ...all.slice(0, at)]);
  const knowAll = await Promise.all(orders.map((order) => connect(test, "tls", order)));
  return [...knowAll, ...(await connectToEach(test, "tls", cluster.members))];
}

describe("watches of a cluster whose leader is killed again and again", () => {
  it("tell each of 100 watchers every write of 64 writers, in order, once", {
    timeout: 600_000,
  }, async (test) => {
    const cluster = await runningCluster(test, "tls", { flags: { "election-timeout": "500ms" } });
    const writing = await Promise.all(cluster.members.map(() => connect(test, "tls", addresses(cluster))));
    const watching = await watchingClients(test, cluster);
    const [first] = writing;
    assert.ok(first !== undefined);
    const { header } = await first.set("the beginning", "");
    const record = new Record();
    const followers = await Promise.all(
      Array.from({ length: watchers }, (_, at) => {
        const client = watching[at % watching.length];
        return follow(client ?? assert.fail("a watcher needs a client"), header.revision + 1, record);
      }),
    );
    const following = Promise.all(followers.map(({ done }) => done));
    const writes = startWriters(writing, record, test.signal);
    const run = async (): Promise<void> => {
      for (let kill = 0; kill < kills; kill += 1)
        await killLeader(cluster, async () => writes.acknowledged.more(writers));
      await writes.stop();
    };
    // A watcher that fails is told of at once.
    await Promise.race([run(), following.then(() => assert.fail("the watchers ended before the writers"))]);
    const end = await first.set("the end", "");
    await following;
    const reconnects = followers.reduce((sum, follower) => sum + follower.reconnects, 0);
    const { acknowledged } = writes;
    assert.equal(record.size, end.header.revision - header.revision - 1, "no revision was made up");
    assert.ok(acknowledged.count >= kills * writers, `only ${String(acknowledged.count)} were acknowledged`);
    assert.ok(reconnects >= kills, "watches have changed members");
    test.diagnostic(
      `${String(record.size)} revisions, ${String(acknowledged.count)} acknowledged, ${String(reconnects)} reconnects`,
    );
  });
});
