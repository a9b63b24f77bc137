/** Replicas in one process, on real disks that can be made to hang, with a {@link Loopback} between them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DeleteCommandSchema, SetCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { type Configuration, initialConfiguration, logIndex, type NodeId, nodeId, RaftNode } from "@dkv/raft";
import { Store, type Operation, type StateScanner } from "@dkv/store";
import { pino } from "pino";
import { decodeMembership, encodeMembership } from "../../src/codec/membership-codec.ts";
import { DiskReserve } from "../../src/consensus/disk-reserve.ts";
import { Replica, type ReplicaOptions } from "../../src/consensus/replica.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { Loopback } from "./loopback.ts";
import { PushedClock } from "./pushed-clock.ts";

export const tickMs = 5;

type Options = Partial<ReplicaOptions>;

/** One of the things that a storage does, which can be made to hang. */
class Work {
  /** How often it was begun, in all. */
  begun = 0;
  #healed: Promise<void> | undefined;
  #heal: () => void = () => undefined;

  hang(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#healed = promise;
    this.#heal = resolve;
  }

  heal(): void {
    this.#healed = undefined;
    this.#heal();
  }

  async through(work: () => Promise<void>): Promise<void> {
    await this.begin();
    await work();
  }

  async begin(): Promise<void> {
    this.begun += 1;
    if (this.#healed !== undefined) await this.#healed;
  }
}

/** Log and state of one storage. */
class Disk {
  readonly log = new Work();
  readonly state = new Work();
  /** Of the state. */
  readonly scans = new Work();
  /** What the state is said to take, in bytes. */
  stateBytes = 0;
  /** How often space was reclaimed. */
  reclaimed = 0;

  heal(): void {
    this.log.heal();
    this.state.heal();
    this.scans.heal();
  }

  of(storage: Storage): Storage {
    const { identity, configurations, hardState, log } = storage;
    return {
      identity,
      configurations,
      hardState,
      log,
      state: this.#scanned(storage.state),
      get logBytes() {
        return storage.logBytes;
      },
      stateBytes: () => Promise.resolve(this.stateBytes),
      reclaimState: () => {
        this.reclaimed += 1;
        return storage.reclaimState();
      },
      append: (batch) => this.log.through(() => storage.append(batch)),
      save: (changes) => this.state.through(() => storage.save(changes)),
      compact: (upTo) => this.state.through(() => storage.compact(upTo)),
      takeSnapshot: () => storage.takeSnapshot(),
      receiveSnapshot: (header) => storage.receiveSnapshot(header),
      dropReceived: (header) => storage.dropReceived(header),
      close: () => storage.close(),
    };
  }

  #scanned(state: StateScanner): StateScanner {
    const { scans } = this;
    return {
      get: (key) => state.get(key),
      getMany: (keys) => state.getMany(keys),
      async *scan(range) {
        await scans.begin();
        yield* state.scan(range);
      },
    };
  }
}

export interface Running {
  readonly id: NodeId;
  readonly dataDir: string;
  readonly replica: Replica;
  readonly node: RaftNode;
  readonly store: Store;
  readonly disk: Disk;
  readonly clock: PushedClock;
  /** Of 1000 bytes; it has not been measured yet. */
  readonly reserve: DiskReserve;
  readonly proposer: bigint;
  /** The texts logged as warnings. */
  readonly warnings: readonly string[];
  /** What should have ended the process. */
  readonly failures: readonly unknown[];
  /** Whether it was told that it is no member any more. */
  readonly wasRemoved: () => boolean;
  stop(): Promise<void>;
}

export interface RunningCluster {
  readonly members: readonly Running[];
  readonly network: Loopback;
  /** Some member that leads, as soon as there is one. */
  leader(): Promise<Running>;
  /** A leader that has written, and another member that follows it. */
  leaderAndFollower(): Promise<{ leader: Running; follower: Running }>;
  /** Starts a member that has been added under this name. */
  start(name: string): Promise<Running>;
}

interface Place {
  readonly network: Loopback;
  readonly directory: string;
  readonly configuration: Configuration;
  readonly options: Options;
}

async function startReplica(
  { id, name }: { readonly id: NodeId; readonly name: string },
  { network, directory, configuration, options }: Place,
): Promise<Running> {
  const dataDir = join(directory, `${name}-${String(id)}`);
  const { storage: opened } = await openStorage({
    dataDir,
    identity: { clusterId: 1n, memberId: id, name },
    configuration,
    segmentBytes: 1 << 20,
    clock: systemClock,
    random: systemRandom,
  });
  const disk = new Disk();
  const clock = new PushedClock();
  const storage = disk.of(opened);
  const store = new Store(storage.state, { cacheBytes: 1 << 20, pieceChanges: 50 });
  const { electionTimeoutMs = 100 } = options;
  const node = new RaftNode(
    {
      id,
      electionTicks: electionTimeoutMs / tickMs,
      heartbeatTicks: 2,
      maxInflightMessages: 64,
      maxInflightBytes: 1 << 20,
      maxAppendBytes: 1 << 18,
      maxUncommittedBytes: 1 << 20,
      maxCommittedBytes: 1 << 20,
      random: (bound) => systemRandom.below(bound),
    },
    { ...storage, applied: logIndex(store.appliedIndex) },
  );
  const transport = network.port(id);
  const proposer = systemRandom.name();
  const warnings: string[] = [];
  const failures: unknown[] = [];
  const logger = pino(
    { level: "warn" },
    { write: (line: string) => warnings.push((JSON.parse(line) as { msg: string }).msg) },
  );
  let wasRemoved = false;
  const reserve = new DiskReserve({ reserveBytes: 1000, logger });
  const replica = new Replica(
    {
      name,
      version: "1.2.3",
      clientAddress: "",
      advertisedNodes: new Map(),
      tickMs,
      electionTimeoutMs,
      requestTimeoutMs: 2000,
      proposalLimits: { count: 10_000, bytes: 1 << 24 },
      proposingLimits: { turnBytes: 1 << 18, heldBytes: 1 << 20 },
      waitingReads: 10_000,
      watches: {
        streams: 100,
        watches: 1000,
        streamBytes: 1 << 20,
        queuedBytes: 1 << 24,
        historyBytes: 1 << 20,
      },
      compaction: { snapshotCount: 1_000, catchupEntries: 100, maxBytes: 1 << 26 },
      autopilot: { autoPromote: true, cleanupAfterMs: undefined },
      checkIntervalMs: undefined,
      autoCompaction: undefined,
      quotaBytes: 0,
      ...options,
    },
    {
      node,
      store,
      storage,
      transport,
      clock,
      logger,
      reserve,
      proposer,
      random: systemRandom,
      onRemoved: () => {
        wasRemoved = true;
      },
      fatal: (error) => failures.push(error),
    },
  );
  await replica.start();
  return {
    id,
    dataDir,
    replica,
    node,
    store,
    disk,
    clock,
    reserve,
    proposer,
    warnings,
    failures,
    wasRemoved: () => wasRemoved,
    async stop() {
      disk.heal();
      await replica.stop();
      await transport.close();
      await storage.close();
    },
  };
}

/** A cluster that ends with the test. */
export async function cluster(
  test: TestContext,
  size: number,
  options: Options = {},
): Promise<RunningCluster> {
  const directory = mkdtempSync(join(tmpdir(), "dkv-replica-"));
  const network = new Loopback();
  const rows = Array.from({ length: size }, (_, at) => ({
    id: nodeId(BigInt(at + 1)),
    name: `m${String(at + 1)}`,
    peerAddress: `localhost:${String(at + 1)}`,
    incarnation: 0n,
  }));
  const configuration = initialConfiguration(
    rows.map(({ id }) => id),
    encodeMembership({ rows, history: 0n }),
  );
  const place = { network, directory, configuration, options };
  const members = await Promise.all(rows.map((row) => startReplica(row, place)));
  test.after(async () => {
    await Promise.all(members.map((member) => member.stop()));
    rmSync(directory, { recursive: true });
  });
  const leads = ({ replica, id }: Running): boolean => replica.status().leaderId === id;
  const leader = async (): Promise<Running> => {
    await until("a member leads", () => members.some(leads));
    return members.find(leads) ?? leader();
  };
  const leaderAndFollower = async () => {
    const first = await leader();
    await first.replica.propose(set("first", "write"));
    const follows = ({ replica, id }: Running): boolean =>
      id !== first.id && replica.status().leaderId === first.id;
    await until("a member follows", () => members.some(follows));
    return { leader: first, follower: members.find(follows) ?? first };
  };
  const start = async (name: string): Promise<Running> => {
    const { node } = await leader();
    const { configuration: known } = node.status().configuration;
    const row = decodeMembership(known.context).rows.findLast((one) => one.name === name);
    if (row === undefined) throw new Error(`${name} was not added`);
    const started = await startReplica(row, { ...place, configuration: known });
    members.push(started);
    return started;
  };
  return { members, network, leader, leaderAndFollower, start };
}

/** Looks again and again, for some seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadlineMs = systemClock.nowMs() + 15_000;
  while (!condition()) {
    if (systemClock.nowMs() > deadlineMs) throw new Error(`it never came to pass that ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export const set = (key: string, value: string): Operation => ({
  case: "set",
  value: create(SetCommandSchema, { key: Buffer.from(key), value: Buffer.from(value) }),
});

export const remove = (key: string, rangeEnd = ""): Operation => ({
  case: "delete",
  value: create(DeleteCommandSchema, { key: Buffer.from(key), rangeEnd: Buffer.from(rangeEnd) }),
});

export async function read(member: Running, key: string): Promise<string | undefined> {
  await member.replica.readBarrier();
  const found = member.replica.get(Buffer.from(key));
  return found === undefined ? undefined : Buffer.from(found.value).toString();
}
