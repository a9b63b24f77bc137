/** Clients of etcd at three members: whichever is asked, the answers are those of one store. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import type { Cluster } from "@dkv/cluster";
import {
  Cluster as ClusterService,
  KV,
  Lease,
  Maintenance,
  Watch,
  type WatchCreateRequestSchema,
  type WatchResponse,
} from "@dkv/protocol/etcdserverpb/rpc";
import { Election } from "@dkv/protocol/v3electionpb/v3election";
import { Lock } from "@dkv/protocol/v3lockpb/v3lock";
import { certificates, runningCluster } from "./fixture.ts";
import { grpcTransport } from "./grpc-transport.ts";

interface EtcdClient {
  readonly kv: Client<typeof KV>;
  readonly lease: Client<typeof Lease>;
  readonly watch: Client<typeof Watch>;
  readonly cluster: Client<typeof ClusterService>;
  readonly maintenance: Client<typeof Maintenance>;
  readonly lock: Client<typeof Lock>;
  readonly election: Client<typeof Election>;
}

/** One for each member. */
async function clientsOf({ members }: Cluster): Promise<readonly [EtcdClient, EtcdClient, EtcdClient]> {
  const ca = readFileSync(join(await certificates(), "ca.pem"));
  const [first, second, third] = members.map(({ clientAddress }) => {
    const transport = grpcTransport(clientAddress, ca);
    return {
      kv: createClient(KV, transport),
      lease: createClient(Lease, transport),
      watch: createClient(Watch, transport),
      cluster: createClient(ClusterService, transport),
      maintenance: createClient(Maintenance, transport),
      lock: createClient(Lock, transport),
      election: createClient(Election, transport),
    };
  });
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  return [first, second, third];
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text));
const everything = { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) };

/** Begins a watch on one stream, of everything unless said otherwise; resolves when the member has said so. */
async function watchAll(
  test: TestContext,
  { watch }: EtcdClient,
  value: MessageInitShape<typeof WatchCreateRequestSchema> = everything,
): Promise<AsyncIterator<WatchResponse, undefined>> {
  const ending = new AbortController();
  test.after(() => {
    ending.abort();
  });
  const requests = (async function* () {
    yield { requestUnion: { case: "createRequest", value } } as const;
    await new Promise((resolve) => {
      ending.signal.addEventListener("abort", resolve);
    });
  })();
  const answers: AsyncIterator<WatchResponse, undefined> = watch
    .watch(requests, { signal: ending.signal })
    [Symbol.asyncIterator]();
  assert.equal((await answers.next()).value?.created, true);
  return answers;
}

describe("clients of etcd at three members, TLS", () => {
  it("see one store, with one history, through all of them", async (test) => {
    const cluster = await runningCluster(test, "tls");
    const clients = await clientsOf(cluster);
    const [first, second, third] = clients;
    const watches = await Promise.all(clients.map((client) => watchAll(test, client)));
    const { ID } = await second.lease.leaseGrant({ TTL: 600n });
    await third.kv.put({ key: bytes("a"), value: bytes("1"), lease: ID });
    await first.kv.txn({
      compare: [{ key: bytes("a"), targetUnion: { case: "version", value: 1n } }],
      success: [{ request: { case: "requestPut", value: { key: bytes("b") } } }],
    });
    assert.equal((await second.kv.range(everything)).count, 2n);
    for (const { lease } of clients) {
      for await (const { TTL } of lease.leaseKeepAlive(one({ ID }))) assert.equal(TTL, 600n);
      const { grantedTTL, keys } = await lease.leaseTimeToLive({ ID, keys: true });
      assert.deepEqual([grantedTTL, keys.map(String)], [600n, [String(bytes("a"))]]);
    }
    await third.lease.leaseRevoke({ ID });
    for (const answers of watches) {
      const told: (bigint | undefined)[] = [];
      while (told.length < 3) {
        const events = (await answers.next()).value?.events ?? [];
        told.push(...events.map(({ kv }) => kv?.modRevision));
      }
      assert.deepEqual(told, [2n, 3n, 4n]);
    }
    await first.kv.compact({ revision: 3n, physical: true });
    await Promise.all(clients.map(({ kv }) => kv.range(everything)));
    const hashes = await Promise.all(clients.map(({ maintenance }) => maintenance.hashKV({ revision: 4n })));
    assert.deepEqual(
      hashes.map(({ hash, compactRevision }) => [hash, compactRevision]),
      hashes.map(() => [hashes[0]?.hash, 3n]),
    );
  });

  it("are told how far their watches have come, as often as the member was told to", async (test) => {
    const flags = { "watch-progress-notify-interval": "100ms" };
    const [first] = await clientsOf(await runningCluster(test, "tls", { flags }));
    const { header } = await first.kv.put({ key: bytes("elsewhere") });
    const answers = await watchAll(test, first, { key: bytes("a"), progressNotify: true });
    for (let times = 1; times <= 2; times += 1) {
      const told: WatchResponse | undefined = (await answers.next()).value;
      assert.deepEqual([told?.events, told?.watchId], [[], 0n]);
      assert.ok((told?.header?.revision ?? 0n) >= (header?.revision ?? 0n));
    }
  });

  it("move the leader, and list the members with the URLs at which they answer", async (test) => {
    const cluster = await runningCluster(test, "tls");
    const clients = await clientsOf(cluster);
    const { members } = await clients[0].cluster.memberList({ linearizable: true });
    assert.deepEqual(
      new Set(members.flatMap(({ clientURLs }) => clientURLs)),
      new Set(cluster.members.map(({ clientAddress }) => `https://${clientAddress}`)),
    );
    const statuses = await Promise.all(clients.map(({ maintenance }) => maintenance.status({})));
    const leader = clients[statuses.findIndex(({ header, leader }) => header?.memberId === leader)];
    const target = statuses.find(({ header, leader }) => header?.memberId !== leader)?.header?.memberId;
    assert.ok(leader !== undefined && target !== undefined);
    await leader.maintenance.moveLeader({ targetID: target });
    assert.equal((await leader.maintenance.status({})).leader, target);
  });

  it("own a lock and an office one after the other, whichever member each of them asks", async (test) => {
    const cluster = await runningCluster(test, "tls");
    const clients = await clientsOf(cluster);
    const name = bytes("name");
    const orders: bigint[] = [];
    let owners = 0;
    await Promise.all(
      clients.flatMap((client, at) =>
        [1, 2, 3].map(async () => {
          const { ID: lease } = await client.lease.leaseGrant({ TTL: 600n });
          const { key } = await client.lock.lock({ name, lease });
          owners += 1;
          assert.equal(owners, 1, "one at a time");
          const { kvs } = await client.kv.range({ key });
          orders.push(kvs[0]?.createRevision ?? 0n);
          owners -= 1;
          // Some leave as they should, and some are gone.
          if (at === 0) await client.lease.leaseRevoke({ ID: lease });
          else await client.lock.unlock({ key });
        }),
      ),
    );
    assert.deepEqual(
      orders,
      orders.toSorted((a, b) => Number(a - b)),
    );
    const [first, second, third] = clients;
    const one = await first.lease.leaseGrant({ TTL: 600n });
    const two = await second.lease.leaseGrant({ TTL: 600n });
    const { leader } = await first.election.campaign({ name, lease: one.ID, value: bytes("one") });
    const next = second.election.campaign({ name, lease: two.ID, value: bytes("two") });
    const ending = new AbortController();
    test.after(() => {
      ending.abort();
    });
    const seen: string[] = [];
    for await (const { kv } of third.election.observe({ name }, { signal: ending.signal })) {
      seen.push(Buffer.from(kv?.value ?? name).toString());
      if (seen.length === 1) await third.election.proclaim({ leader, value: bytes("uno") });
      if (seen.length === 2) await third.election.resign({ leader });
      if (seen.length === 3) break;
    }
    assert.deepEqual(seen, ["one", "uno", "two"]);
    assert.equal((await next).leader?.lease, two.ID);
  });
});

async function* one<Item>(item: Item): AsyncGenerator<Item> {
  yield await Promise.resolve(item);
}
