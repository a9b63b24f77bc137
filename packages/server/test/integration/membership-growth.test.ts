import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { DkvClient } from "@dkv/client";
import type { Cluster, Member } from "@dkv/cluster";
import { connect, grow, lastWords, runningCluster, wasRemoved } from "./fixture.ts";
import { startRecordedLoad, stopAndCheck } from "./recorded-load.ts";

/**
 * Clients are told no address to which they could go by themselves, so each stays with the one member that it
 * knows, mostly a follower.
 */
const flags = { "advertise-client-address": "0.0.0.0:1", "election-timeout": "500ms" };

/** One client for each member, while the members change. */
class Clients {
  readonly #test: TestContext;
  readonly #members: Member[] = [];
  readonly list: DkvClient[] = [];

  constructor(test: TestContext) {
    this.#test = test;
  }

  async add(member: Member): Promise<DkvClient> {
    const client = await connect(this.#test, "tls", [member.clientAddress]);
    this.#members.push(member);
    this.list.push(client);
    return client;
  }

  drop(member: Member): void {
    const at = this.#members.indexOf(member);
    this.#members.splice(at, 1);
    this.list.splice(at, 1);
  }
}

/** Removes a member by way of another one. It has to end by itself and say why. */
async function shrink(cluster: Cluster, client: DkvClient, leaving: Member): Promise<void> {
  const words = lastWords(leaving, 0);
  await client.memberLeave(leaving.name);
  assert.match(await words, wasRemoved);
  cluster.forget(leaving);
  await cluster.waitForVoters(cluster.members.map(({ name }) => name));
}

describe("a cluster that grows and shrinks", () => {
  it("from 1 to 3 to 5 members and back to 3, its leader among those that leave, loses no acknowledged write and serves no stale read", {
    timeout: 180_000,
  }, async (test) => {
    const cluster = await runningCluster(test, "tls", { members: 1, flags });
    const clients = new Clients(test);
    for (const member of cluster.members) await clients.add(member);
    const load = startRecordedLoad(clients.list, { writers: 16, keys: 16 });
    await load.more(100);

    for (const name of ["dkv-1", "dkv-2", "dkv-3", "dkv-4"]) {
      const last = clients.list.at(-1);
      assert.ok(last !== undefined);
      await clients.add(await grow(cluster, last, name));
      await load.more(100);
    }

    const leader = cluster.member(await cluster.waitForLeader());
    const follower = cluster.members.find((member) => member !== leader);
    assert.ok(follower !== undefined);
    for (const leaving of [follower, leader]) {
      clients.drop(leaving);
      const [first] = clients.list;
      assert.ok(first !== undefined);
      await shrink(cluster, first, leaving);
      await load.more(100);
    }
    await stopAndCheck(load);
    test.diagnostic(`${String(load.acknowledged)} writes were acknowledged`);
    assert.equal(cluster.members.length, 3);
    // The three that stay are a whole cluster: it goes on with one of them away.
    const [away] = cluster.members;
    assert.ok(away !== undefined);
    clients.drop(away);
    await away.kill();
    const [rest] = clients.list;
    await rest?.set("after", "all", { timeoutMs: 10_000 });
  });
});
