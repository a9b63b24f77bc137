/** One key space behind all doors. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { DkvClient, Watch } from "@dkv/client";
import { type Cluster, freePorts } from "@dkv/cluster";
import {
  askBinary,
  askText,
  type DoorClient,
  type DoorName,
  doorNames,
  type DoorPorts,
  doorsOf,
  int32,
  onConnection,
  type Pipelined,
  pipelinedNames,
  pipelines,
  sized,
} from "./five-doors.ts";
import { StreamClient } from "../api/stream-port.ts";
import { connect, preparedCluster } from "./fixture.ts";
import { Progress } from "./killing.ts";

interface OpenMember {
  readonly grpc: DkvClient;
  readonly ports: DoorPorts;
  readonly doors: Readonly<Record<DoorName, DoorClient>>;
  /** Starts it again, with the same doors. */
  readonly start: () => void;
}

interface OpenCluster {
  readonly cluster: Cluster;
  readonly members: readonly OpenMember[];
}

/** Members with all their doors open. */
async function openDoors(test: TestContext, members: number): Promise<OpenCluster> {
  const flags = { "election-timeout": "500ms" };
  const cluster: Cluster = await preparedCluster(test, "cleartext", { members, flags });
  const free = await freePorts(2 * members);
  const opened = await Promise.all(
    cluster.members.map(async (member, at): Promise<OpenMember> => {
      const [text = 0, binary = 0] = free.slice(2 * at);
      const start = (): void => {
        member.start({
          "listen-text-address": `:${String(text)}`,
          "text-forward": true,
          "listen-binary-address": `:${String(binary)}`,
          "query-interface": true,
        });
      };
      start();
      await member.waitReady();
      const ports = { client: Number(member.clientAddress.split(":")[1]), text, binary };
      const grpc = await connect(test, "cleartext", [member.clientAddress]);
      return { grpc, ports, doors: doorsOf(ports, grpc), start };
    }),
  );
  await cluster.waitForLeader();
  return { cluster, members: opened };
}

/** At which revision each of the keys is deleted. */
async function deletions(watch: Watch, keys: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for await (const { kind, kv } of watch) {
    if (kind === "delete") found.set(kv.key, kv.modRevision);
    if (found.size === keys.length) break;
  }
  return found;
}

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** Sets keys one behind the other through a door, until it is over. What is acknowledged is told. */
interface Load {
  readonly acknowledged: (key: string) => void;
  readonly isOver: () => boolean;
}

async function oneByOne(door: DoorClient, prefix: string, { acknowledged, isOver }: Load): Promise<void> {
  for (let at = 0; !isOver(); at += 1) {
    const key = `${prefix}/${String(at)}`;
    try {
      await door.set(key, Buffer.from(key));
      acknowledged(key);
    } catch {
      // While nobody leads; it may have been done or not.
    }
  }
}

/** As {@link oneByOne}, 64 at a time on one connection. */
async function pipelined(ports: DoorPorts, protocol: Pipelined, prefix: string, load: Load): Promise<void> {
  const { command, answer } = pipelines[protocol];
  await onConnection(ports[protocol], async (socket) => {
    const client = new StreamClient(socket);
    for (let round = 0; !load.isOver(); round += 1) {
      const keys = Array.from({ length: 64 }, (_, one) => `${prefix}/${String(round)}/${String(one)}`);
      client.send(Buffer.concat(keys.map((key) => command(key, Buffer.from(key)))));
      for (const key of keys) if (await answer(client)) load.acknowledged(key);
    }
  });
}

describe("a key", { timeout: 180_000 }, () => {
  it("is the same through five doors, each in its own way", async (test) => {
    const { cluster, members } = await openDoors(test, 3);
    const [{ doors, ports }] = members as [OpenMember, ...OpenMember[]];

    await test.test(
      "it is set through one and read through each, on each member, whatever its bytes",
      async () => {
        for (const [at, through] of doorNames.entries()) {
          const key = `set-through/${through}`;
          const value = Buffer.concat([Buffer.from(through), everyByte]);
          for (const { doors: each } of members) assert.equal(await each.gRPC.get(key), undefined);
          await members[at % members.length]?.doors[through].set(key, value);
          for (const { doors: each } of members)
            for (const door of doorNames)
              assert.deepEqual(await each[door].get(key), value, `${key}, ${door}`);
        }
        for (const { doors: each } of members)
          for (const door of doorNames)
            assert.equal(await each[door].get("nobody-set-this"), undefined, door);
      },
    );

    await test.test("it is overwritten through each but the text protocol, whose cas does it", async () => {
      for (const door of doorNames.filter((one) => one !== "text")) {
        await doors[door].set("key", Buffer.from(door));
        assert.equal((await doors.text.get("key"))?.toString(), door);
      }
      assert.equal((await askText(ports.text, "set key 0 3\r\nnew\r\n")).line, "ERR_VERSION");
      const { line } = await askText(ports.text, "getm key\r\n");
      const version = /^VALUE (\d+) 0 5$/.exec(line)?.[1] ?? assert.fail(line);
      const swapped = await askText(ports.text, `cas key 0 ${version} 3\r\nnew\r\n`);
      assert.equal(swapped.line, `OK ${String(Number(version) + 1)}`);
      assert.equal((await doors.query.get("key"))?.toString(), "new");
    });

    await test.test("what a door cannot carry gets that door's error", async () => {
      await checkErrors({ doors, ports });
    });

    await test.test("it ends at one revision on every member, whichever door it came by", async () => {
      const watches = await watchesOf(members, "brief/");
      const keys = await setForSeconds(members, "brief/", 1);
      await checkEnds(watches, keys);
    });

    await test.test(
      "it ends at one revision on every member, and is not lost, also when the leader is killed under load",
      async (t) => {
        await killLeaderUnderLoad(t, { cluster, members });
      },
    );

    await test.test(
      "while nobody leads, the text and the binary protocol say so within a second",
      async () => {
        const [last, ...others] = cluster.members.filter((member) => member.isRunning);
        await Promise.all(others.map((member) => member.kill()));
        const left = members[cluster.members.indexOf(last ?? assert.fail())] ?? assert.fail();
        // Until it has noticed, it asks the one that led.
        while ((await askText(left.ports.text, "get key\r\n")).line !== "ERR_INTERNAL");
        const command = pipelines.binary.command("key", Buffer.from("v"));
        assert.deepEqual(await askBinary(left.ports.binary, command, () => 1), Buffer.of(2));
      },
    );
  });
});

async function watchesOf(members: readonly OpenMember[], prefix: string): Promise<readonly Watch[]> {
  // From the beginning, so that a member that was away tells it too.
  const watches = members.map(({ grpc }) => grpc.watch({ prefix }, { startRevision: 1 }));
  await Promise.all(watches.map((watch) => watch.open()));
  return watches;
}

/** Sets a key through each door, each on another member, with so long to live; returns the keys. */
async function setForSeconds(
  members: readonly OpenMember[],
  prefix: string,
  ttlSeconds: number,
): Promise<readonly string[]> {
  for (const [at, door] of doorNames.entries())
    await members[at % members.length]?.doors[door].set(`${prefix}${door}`, Buffer.from("v"), ttlSeconds);
  return doorNames.map((door) => `${prefix}${door}`);
}

/** Each watch tells the same of how they end. */
async function checkEnds(watches: readonly Watch[], keys: readonly string[]): Promise<void> {
  const ends = await Promise.all(watches.map((watch) => deletions(watch, keys)));
  assert.deepEqual(new Set(ends[0]?.keys()), new Set(keys));
  for (const end of ends) assert.deepEqual(end, ends[0]);
}

async function killLeaderUnderLoad(test: TestContext, { cluster, members }: OpenCluster): Promise<void> {
  const leader = await cluster.waitForLeader();
  const staying = members.filter((_, at) => cluster.members[at]?.name !== leader);
  const dying = members.find((member) => !staying.includes(member)) ?? assert.fail();
  const prefix = "mortal/";
  const watches = await watchesOf(staying, prefix);

  const acknowledged: string[] = [];
  let isOver = false;
  let isKilled = false;
  const begin = (member: OpenMember, name: string, run: (prefix: string, load: Load) => Promise<void>) => {
    const progress = new Progress();
    const load: Load = {
      acknowledged: (key) => {
        acknowledged.push(key);
        progress.advance();
      },
      isOver: () => isOver || (isKilled && member === dying),
    };
    const ended = run(`load/${name}/${String(members.indexOf(member))}`, load).catch((error: unknown) => {
      // The connection to who is killed breaks in the middle of its answers.
      if (!load.isOver()) throw error;
    });
    return { member, progress, ended };
  };
  const loads = members.flatMap((member) => [
    ...doorNames.map((door) => begin(member, door, (keys, load) => oneByOne(member.doors[door], keys, load))),
    ...pipelinedNames.map((name) =>
      begin(member, `${name}-pipelined`, (keys, load) => pipelined(member.ports, name, keys, load)),
    ),
  ]);
  /** Each of them alone: some are much faster than others. */
  const more = (some: typeof loads) => Promise.all(some.map(({ progress }) => progress.more(10)));
  await more(loads);
  const keys = await setForSeconds(staying, prefix, 3);
  const killed = cluster.member(leader).kill();
  isKilled = true;
  await killed;
  await cluster.waitForLeader();
  await more(loads.filter(({ member }) => member !== dying));
  isOver = true;
  await Promise.all(loads.map(({ ended }) => ended));

  const found = new Set<string>();
  for await (const { key, value } of staying[0]?.grpc.list({ prefix: "load/" }) ?? assert.fail())
    if (Buffer.from(value).toString() === key) found.add(key);
  assert.deepEqual(
    acknowledged.filter((key) => !found.has(key)),
    [],
  );
  test.diagnostic(`${String(acknowledged.length)} were acknowledged`);

  dying.start();
  await cluster.member(leader).waitReady();
  await checkEnds([...watches, ...(await watchesOf([dying], prefix))], keys);
  for (const { doors } of members)
    for (const door of doorNames) assert.equal(await doors[door].get(`${prefix}${door}`), undefined);
}

async function checkErrors({ doors, ports }: Pick<OpenMember, "doors" | "ports">): Promise<void> {
  const ask = async (path: string): Promise<[number, string]> => {
    const answer = await fetch(`http://localhost:${String(ports.client)}${path}`);
    return [answer.status, await answer.text()];
  };

  // A key with a blank cannot be named in the text protocol.
  await doors.query.set("two words", Buffer.from("v"));
  assert.equal((await askText(ports.text, "get two words\r\n")).line, "ERR_CMD_ERR");
  assert.equal((await doors.binary.get("two words"))?.toString(), "v");

  // A key that is no text has no name in dkv.v1, where lists show its bytes.
  const command = Buffer.concat([Buffer.of(1), sized(Buffer.of(0xff)), sized(Buffer.from("v")), int32(0)]);
  assert.deepEqual(await askBinary(ports.binary, command, () => 1), Buffer.of(1));
  assert.deepEqual(await ask("/get?key=%ff"), [200, "v\n"]);
  assert.equal(await doors.gRPC.get("\ufffd"), undefined);

  // An empty value is none in a query, and in the text protocol.
  await doors.binary.set("empty", Buffer.of());
  for (const door of doorNames) assert.deepEqual(await doors[door].get("empty"), Buffer.of(), door);
  assert.equal((await askText(ports.text, "set nothing 0 0\r\n\r\n")).line, "ERR_CMD_ERR");
  assert.deepEqual(await ask("/set?key=nothing&value="), [200, "param error\n"]);

  // A query has to fit in the header of a request, of 16 KiB; what it gets has not.
  const large = Buffer.alloc(100_000, "x");
  await doors.Connect.set("large", large);
  assert.deepEqual(await doors.query.get("large"), large);
  assert.equal((await ask(`/set?key=large&value=${"x".repeat(17_000)}`))[0], 431);
}
