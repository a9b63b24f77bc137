/**
 * Puts a member together. Start order is storage, consensus with its transport, client port; stop order
 * is the reverse, so that nobody is let in before they can be served, or dropped before they are answered.
 */
import type { Logger } from "pino";
import { logIndex, RaftNode } from "@dkv/raft";
import { Store } from "@dkv/store";
import { createClientApi } from "./api/client-api.ts";
import type { Config } from "./config/config.ts";
import { clusterIdOf, memberIdOf } from "./config/identity.ts";
import { Replica, type ReplicaOptions } from "./consensus/replica.ts";
import { createClientListener } from "./listener/client-listener.ts";
import { formatAddress } from "./platform/address.ts";
import type { Clock } from "./platform/clock.ts";
import type { Random } from "./platform/random.ts";
import { StartupError } from "./platform/startup-error.ts";
import { openStorage } from "./storage/open-storage.ts";
import type { Storage } from "./storage/storage.ts";
import type { PeerTransport } from "./transport/peer-transport.ts";
import { createTcpTransport } from "./transport/tcp-transport.ts";
import { version } from "./version.ts";

const mebibyte = 2 ** 20;

/**
 * The finest step of time in consensus. Ten to a default heartbeat, so that election timeouts rarely collide.
 */
const tickMs = 10;

const limits = {
  /** Values kept in memory for reads. */
  cacheBytes: 16 * mebibyte,
  /** One AppendEntries message. */
  appendBytes: 1 * mebibyte,
  /** Sent to one follower and not yet acknowledged. */
  inflightMessages: 256,
  inflightBytes: 16 * mebibyte,
  /** Appended by a leader and not yet committed. */
  uncommittedBytes: 64 * mebibyte,
  /** Applied in one turn. */
  committedBytes: 4 * mebibyte,
  /** One frame from a peer. */
  frameBytes: 64 * mebibyte,
  /** Waited for by callers at once. */
  proposals: { count: 20_000, bytes: 64 * mebibyte },
  /**
   * A frame to the leader takes one turn's commands, or one as large as `--max-request-bytes` may allow: with
   * room to spare within `frameBytes`.
   */
  proposing: { turnBytes: 16 * mebibyte, heldBytes: 64 * mebibyte },
  reads: 50_000,
} as const;

/** How long a request is waited for when its sender names no deadline: a failover fits in. */
const requestTimeoutMs = 5_000;

/** How long clients that are being answered may take once the member stops. */
const closeGraceMs = 1_000;

export interface ServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly fatal: (error: unknown) => void;
}

export interface Server {
  /** Hands leadership over, answers what was accepted, closes everything. */
  stop(): Promise<void>;
}

/** Starts a member. Rejects with a StartupError that says what to do. */
export async function startServer(config: Config, deps: ServerDeps): Promise<Server> {
  const { clock, random, logger, fatal } = deps;
  const storage = await openMember(config, deps);
  const store = new Store(storage.state, { cacheBytes: limits.cacheBytes });
  const transport = createPeers(config, storage, deps);
  const replica = new Replica(replicaOptions(config), {
    node: createNode(config, { storage, store }, random),
    store,
    storage,
    transport,
    clock,
    logger,
    proposer: random.name(),
    fatal,
  });
  const api = createClientApi(
    replica,
    { maxRequestBytes: config.maxRequestBytes, version },
    { clock, logger },
  );
  const listener = createClientListener(
    { address: config.listenClientAddress, tls: config.clientTls },
    { clock, logger, handlers: api },
  );
  try {
    await replica.start();
    await listener.start();
  } catch (error) {
    await replica.stop();
    await transport.close();
    await storage.close();
    throw error;
  }
  logger.info(
    { member: config.name, client: formatAddress(config.listenClientAddress) },
    "ready for clients",
  );
  return {
    async stop() {
      await replica.stop();
      await listener.close(closeGraceMs);
      await transport.close();
      await storage.close();
      logger.info("stopped");
    },
  };
}

async function openMember(config: Config, { clock, logger }: ServerDeps): Promise<Storage> {
  const { name, dataDir, initialCluster, initialClusterToken: token } = config;
  const members = initialCluster.map((member) => ({
    id: memberIdOf(member.name),
    name: member.name,
    peerAddress: member.address,
  }));
  const identity = { clusterId: clusterIdOf(token, initialCluster), memberId: memberIdOf(name) };
  const mayCreate = config.initialClusterState === "new" && initialCluster.length > 0;
  const { storage, created } = await openStorage({ dataDir, identity, members, mayCreate, clock, logger });
  if (!created && initialCluster.length > 0 && storage.identity.clusterId !== identity.clusterId) {
    logger.warn(
      { dataDir },
      "the data directory is in use already: --initial-cluster and its token are ignored",
    );
  }
  return storage;
}

interface Restored {
  readonly storage: Storage;
  readonly store: Store;
}

function createNode(config: Config, { storage, store }: Restored, random: Random): RaftNode {
  const applied = logIndex(store.appliedIndex);
  return new RaftNode(
    {
      id: storage.identity.memberId,
      configuration: { voters: storage.members.map(({ id }) => id) },
      electionTicks: Math.round(config.electionTimeoutMs / tickMs),
      heartbeatTicks: Math.max(1, Math.round(config.heartbeatIntervalMs / tickMs)),
      maxInflightMessages: limits.inflightMessages,
      maxInflightBytes: limits.inflightBytes,
      maxAppendBytes: limits.appendBytes,
      maxUncommittedBytes: limits.uncommittedBytes,
      maxCommittedBytes: limits.committedBytes,
      // Half the range that the core offers: a failover then takes at most one and a half election timeouts.
      random: (bound) => random.below(Math.ceil(bound / 2)),
    },
    storage.log,
    storage.hardState,
    applied,
  );
}

function createPeers(config: Config, storage: Storage, { clock, random, logger }: ServerDeps): PeerTransport {
  const self = storage.members.find(({ id }) => id === storage.identity.memberId);
  if (self === undefined)
    throw new StartupError("environment", `${config.dataDir} does not list the member it belongs to`);
  return createTcpTransport(
    {
      self: { id: self.id, name: self.name, clientAddress: config.advertiseClientAddress },
      clusterId: storage.identity.clusterId,
      listenAddress: config.listenPeerAddress,
      peers: storage.members.filter((member) => member !== self),
      tls: config.peerTls,
      maxFrameBytes: limits.frameBytes,
    },
    { clock, random, logger },
  );
}

function replicaOptions(config: Config): ReplicaOptions {
  return {
    name: config.name,
    clientAddress: config.advertiseClientAddress,
    advertisedNodes: config.advertisedNodes,
    tickMs,
    electionTimeoutMs: config.electionTimeoutMs,
    requestTimeoutMs,
    proposalLimits: limits.proposals,
    proposingLimits: limits.proposing,
    waitingReads: limits.reads,
  };
}
