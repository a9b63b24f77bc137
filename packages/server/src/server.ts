/**
 * Puts a member together. Start order is storage, consensus with its transport, client port; stop order
 * is the reverse, so that nobody is let in before they can be served, or dropped before they are answered.
 */
import type { Logger } from "pino";
import { RaftNode, logIndex, type HardState } from "@dkv/raft";
import { Store } from "@dkv/store";
import { createClientApi } from "./api/client-api.ts";
import type { Config } from "./config/config.ts";
import { clusterIdOf, memberIdOf } from "./config/identity.ts";
import { Replica } from "./consensus/replica.ts";
import { createClientListener } from "./listener/client-listener.ts";
import { formatAddress } from "./platform/address.ts";
import type { Clock } from "./platform/clock.ts";
import type { Random } from "./platform/random.ts";
import { openStorage } from "./storage/open-storage.ts";
import { createTcpTransport } from "./transport/tcp-transport.ts";

const mebibyte = 2 ** 20;

/** The finest step of time in consensus. Ten to a default heartbeat, so that election timeouts rarely collide. */
const tickMs = 10;

const limits = {
  /** Values kept in memory for reads. */
  cacheBytes: 32 * mebibyte,
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
  const storage = await openMember(config, logger);
  const store = new Store(storage.state, { cacheBytes: limits.cacheBytes });
  const transport = createPeers(config, storage, deps);
  const replica = new Replica(replicaOptions(config), {
    node: createNode(config, storage, store, random),
    store,
    storage,
    transport,
    clock,
    logger,
    proposer: random.name(),
    fatal,
  });
  const api = createClientApi(replica, { maxRequestBytes: config.maxRequestBytes, version }, { clock, logger });
  const listener = new ClientListener(
    { address: config.listenClientAddress, tls: config.clientTls },
    { clock, logger, handlers: api },
  );
  try {
    await replica.start();
    await listener.start();
  } catch (error) {
    await transport.close();
    await storage.close();
    throw error;
  }
  logger.info({ name: config.name, client: formatAddress(config.listenClientAddress) }, "ready for clients");
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
