/**
 * Puts a member together. Start order is storage, consensus with its transport, client port; stop order
 * is the reverse, so that nobody is let in before they can be served, or dropped before they are answered.
 */
import type { Logger } from "pino";
import { logIndex, RaftNode } from "@dkv/raft";
import { Store } from "@dkv/store";
import { createGuard } from "./api/auth/create-guard.ts";
import { readJwtKeys } from "./api/auth/jwt-tokens.ts";
import { createClientApi } from "./api/client-api.ts";
import type { Schemes } from "./api/etcd-v3/cluster-service.ts";
import type { Config } from "./config/config.ts";
import { DiskReserve } from "./consensus/disk-reserve.ts";
import { historyOf, introduce } from "./consensus/membership/telling.ts";
import { Replica } from "./consensus/replica.ts";
import { formatAddress } from "./platform/address.ts";
import type { Cancel, Clock } from "./platform/clock.ts";
import { watchDiskSpace } from "./platform/disk-space.ts";
import type { Random } from "./platform/random.ts";
import { systemTimeOfDay } from "./platform/time-of-day.ts";
import { limits, raftConfig, replicaOptions } from "./start/limits.ts";
import { openMember } from "./start/open-member.ts";
import { createClientListeners } from "./start/client-listeners.ts";
import { createStreamListeners } from "./start/stream-listeners.ts";
import { noteRemoval } from "./storage/removal-note.ts";
import type { Storage } from "./storage/storage.ts";
import type { PeerTransport } from "./transport/peer-transport.ts";
import { createTcpTransport } from "./transport/tcp-transport.ts";
import { version } from "./version.ts";

/** How long clients that are being answered may take once the member stops. */
const closeGraceMs = 1_000;

/** How often a member that starts is asked whether it knows a leader. */
const readinessMs = 50;

export interface ServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly fatal: (error: unknown) => void;
}

export interface Server {
  /** Resolves once the member knows a leader for the first time: clients are served from then on. */
  readonly ready: Promise<void>;
  /** Resolves if the member is removed from its cluster: it has to be stopped then. */
  readonly removed: Promise<void>;
  /** Hands leadership over, answers what was accepted, closes everything. */
  stop(): Promise<void>;
}

/** Starts a member. Rejects with a StartupError that says what to do. */
export async function startServer(config: Config, deps: ServerDeps): Promise<Server> {
  const { clock, random, logger, fatal } = deps;
  if (config.auth.token.kind === "jwt") readJwtKeys(config.auth.token);
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
  const guard = createGuard(replica, config.auth, { clock, random, timeOfDay: systemTimeOfDay });
  const api = createClientApi(
    replica,
    {
      maxRequestBytes: config.maxRequestBytes,
      version,
      schemes: schemesOf(config),
      queryInterface: config.queryInterface,
      maxTxnOps: config.maxTxnOps,
      progressIntervalMs: config.watchProgressIntervalMs,
    },
    { clock, logger, guard },
  );
  const listeners = [
    ...createClientListeners(config, api, { clock, logger }),
    ...createStreamListeners(config, guard, { clock, logger }),
  ];
  try {
    await replica.start();
    for (const each of listeners) await each.start();
  } catch (error) {
    await replica.stop();
    await Promise.all(listeners.map((each) => each.close(0)));
    await transport.close();
    await storage.close();
    throw error;
  }
  const { ready, stopAsking } = whenLed(replica, clock);
  const stopMeasuring = watchDiskSpace(config.dataDir, { clock, logger }, (bytes) => reserve.measured(bytes));
  tellReady(config, logger);
  return {
    ready,
    removed: removed.promise,
    async stop() {
      stopAsking();
      stopMeasuring();
      await replica.stop();
      await Promise.all(listeners.map((each) => each.close(closeGraceMs)));
      await transport.close();
      await storage.close();
      logger.info("stopped");
    },
  };
}

/** Its `ready` never settles if it is stopped before. */
function whenLed(
  member: Pick<Replica, "status">,
  clock: Clock,
): { readonly ready: Promise<void>; readonly stopAsking: Cancel } {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const stopAsking = clock.every(readinessMs, () => {
    if (member.status().leaderId === undefined) return;
    stopAsking();
    resolve();
  });
  return { ready, stopAsking };
}

function tellReady(
  { name: member, clientPorts, text, listenBinaryAddress: binary, isClientPortKeptHere }: Config,
  logger: Logger,
): void {
  const client = clientPorts.map(({ address }) => formatAddress(address)).join(",");
  logger.info(
    {
      member,
      client,
      ...(text !== undefined && { text: formatAddress(text.listenAddress) }),
      ...(binary !== undefined && { binary: formatAddress(binary) }),
    },
    "ready for clients",
  );
  if (isClientPortKeptHere)
    logger.info(
      { client },
      "clients have to be on this machine, those of gRPC too, for queries are served: --listen-client-address " +
        "with a host lets others in",
    );
}

/** Of the first client port: that is the one which is advertised. */
function schemesOf({ peerTls, clientPorts }: Config): Schemes {
  const scheme = (tls: unknown): "http" | "https" => (tls === undefined ? "http" : "https");
  return { peer: scheme(peerTls), client: scheme(clientPorts[0].tls) };
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
      self: {
        id,
        name: config.name,
        clientAddress: config.advertiseClientAddress,
        clientUrls: config.advertiseClientUrls,
        incarnation,
      },
      clusterId,
      listenAddresses: config.listenPeerAddresses,
      peers: [],
      tls: config.peerTls,
      maxFrameBytes: limits.frameBytes,
      introduce: (newcomer) => introduce(node, newcomer),
      isLost: () => node.status().leader === undefined,
      history: () => historyOf(storage, store),
    },
    { clock, random, logger },
  );
}
