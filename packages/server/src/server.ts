/**
 * Puts a member together. Start order is storage, consensus with its transport, client port; stop order
 * is the reverse, so that nobody is let in before they can be served, or dropped before they are answered.
 */
import type { Logger } from "pino";
import { logIndex, RaftNode } from "@dkv/raft";
import { Store } from "@dkv/store";
import { createClientApi } from "./api/client-api.ts";
import type { Config } from "./config/config.ts";
import { DiskReserve } from "./consensus/disk-reserve.ts";
import { historyOf, introduce } from "./consensus/membership/telling.ts";
import { Replica } from "./consensus/replica.ts";
import { createClientListener } from "./listener/client-listener.ts";
import { formatAddress } from "./platform/address.ts";
import type { Clock } from "./platform/clock.ts";
import { watchDiskSpace } from "./platform/disk-space.ts";
import type { Random } from "./platform/random.ts";
import { limits, raftConfig, replicaOptions } from "./start/limits.ts";
import { openMember } from "./start/open-member.ts";
import { noteRemoval } from "./storage/removal-note.ts";
import type { Storage } from "./storage/storage.ts";
import type { PeerTransport } from "./transport/peer-transport.ts";
import { createTcpTransport } from "./transport/tcp-transport.ts";
import { version } from "./version.ts";

/** How long clients that are being answered may take once the member stops. */
const closeGraceMs = 1_000;

export interface ServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly fatal: (error: unknown) => void;
}

export interface Server {
  /** Resolves if the member is removed from its cluster: it has to be stopped then. */
  readonly removed: Promise<void>;
  /** Hands leadership over, answers what was accepted, closes everything. */
  stop(): Promise<void>;
}

/** Starts a member. Rejects with a StartupError that says what to do. */
export async function startServer(config: Config, deps: ServerDeps): Promise<Server> {
  const { clock, random, logger, fatal } = deps;
  const storage = await openMember(config, deps);
  const store = new Store(storage.state, { cacheBytes: limits.cacheBytes });
  const node = createNode(config, { storage, store }, random);
  const transport = createPeers(config, { storage, store, node }, deps);
  const removed = Promise.withResolvers<void>();
  const reserve = new DiskReserve({ reserveBytes: config.diskFreeReserveBytes, logger });
  const replica = new Replica(replicaOptions(config), {
    node,
    store,
    storage,
    transport,
    clock,
    logger,
    reserve,
    proposer: random.name(),
    random,
    onRemoved: () => {
      noteRemoval(config.dataDir, logger);
      removed.resolve();
    },
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
  const stopMeasuring = watchDiskSpace(config.dataDir, { clock, logger }, (bytes) => reserve.measured(bytes));
  logger.info(
    { member: config.name, client: formatAddress(config.listenClientAddress) },
    "ready for clients",
  );
  return {
    removed: removed.promise,
    async stop() {
      stopMeasuring();
      await replica.stop();
      await listener.close(closeGraceMs);
      await transport.close();
      await storage.close();
      logger.info("stopped");
    },
  };
}

interface Restored {
  readonly storage: Storage;
  readonly store: Store;
}

function createNode(config: Config, { storage, store }: Restored, random: Random): RaftNode {
  const { identity, log, hardState, configurations } = storage;
  const applied = logIndex(store.appliedIndex);
  const restored = { log, hardState, applied, configurations };
  return new RaftNode(raftConfig(config, identity.memberId, random), restored);
}

/** @param node finds the configuration in force */
function createPeers(
  config: Config,
  { storage, store, node }: Restored & { readonly node: RaftNode },
  { clock, random, logger }: ServerDeps,
): PeerTransport {
  const { clusterId, memberId: id, incarnation } = storage.identity;
  return createTcpTransport(
    {
      self: { id, name: config.name, clientAddress: config.advertiseClientAddress, incarnation },
      clusterId,
      listenAddress: config.listenPeerAddress,
      peers: [],
      tls: config.peerTls,
      maxFrameBytes: limits.frameBytes,
      introduce: (name) => introduce(node, name),
      isLost: () => node.status().leader === undefined,
      history: () => historyOf(storage, store),
    },
    { clock, random, logger },
  );
}
