/**
 * A member's process: the production consensus, store and transport, put together as the production server
 * does it, on a simulated clock, disk and network. There is no client port: clients call it as a door would.
 */
import { type Configuration, logIndex, type NodeId, RaftNode } from "@dkv/raft";
import { DiskReserve } from "@dkv/server/consensus/disk-reserve";
import { historyOf, introduce } from "@dkv/server/consensus/membership/telling";
import type { Replica } from "@dkv/server/consensus/replica";
import type { Clock } from "@dkv/server/platform/clock";
import type { Owner, StoredOwner } from "@dkv/server/storage/storage";
import { askForIntroduction } from "@dkv/server/transport/introduction";
import type { PeerTransport } from "@dkv/server/transport/peer-transport";
import { createTcpTransport } from "@dkv/server/transport/tcp-transport";
import type { Logger } from "pino";
import { SimStorage, type StorageObserver } from "../disk/sim-storage.ts";
import type { Hardware } from "../disk/hardware.ts";
import { emptyPlatter, type Platter } from "../disk/platter.ts";
import { firstPort } from "../network/node-net.ts";
import type { Life } from "../world/life.ts";
import type { Prng } from "../world/random.ts";
import { AskedByRoot } from "./asked-by-root.ts";
import { type ApplyWitness, ObservedStore } from "./observed-store.ts";
import { deaf, noHistory, noIncarnation } from "./older.ts";
import { frameBytes, raftConfigOf, replicaOptionsOf, reserveBytes, type Settings } from "./settings.ts";

/** What the process is told when it starts. */
export interface Flags {
  readonly name: string;
  /** Founders know who they are; a new member asks at the addresses of those that there are when it starts. */
  readonly beginning:
    | { readonly kind: "founder"; readonly identity: Owner; readonly configuration: Configuration }
    | { readonly kind: "joining"; readonly addresses: () => readonly string[] };
}

export interface Host {
  readonly life: Life;
  readonly clock: Clock;
  readonly hardware: Hardware;
  /** Undefined as long as nothing was ever stored there. */
  readonly platter: Platter | undefined;
  readonly settings: Settings;
  /** Whether this process is of the version before. */
  readonly isOlder: boolean;
  readonly random: Prng;
  readonly logger: Logger;
  /** Of the transport, for worse networks than TCP lets through. */
  readonly wrap: (transport: PeerTransport) => PeerTransport;
  readonly observe: (member: () => MemberProcess | undefined) => StorageObserver;
  readonly witness: ApplyWitness;
  readonly onPlatter: (platter: Platter) => void;
  readonly onRemoved: () => void;
  readonly fatal: (error: unknown) => void;
}

export interface MemberProcess {
  readonly id: NodeId;
  readonly name: string;
  readonly life: Life;
  readonly node: RaftNode;
  readonly store: ObservedStore;
  readonly storage: SimStorage;
  readonly replica: Replica;
  readonly reserve: DiskReserve;
}

/** How often a new member asks who it is. */
const askAgainMs = 1000;

/** Rejects as the production server does when it must not start. @param onBorn hears of it before it acts */
export async function startMember(
  flags: Flags,
  host: Host,
  onBorn: (member: MemberProcess) => void,
): Promise<void> {
  const { life, clock, hardware, settings, random, logger, witness } = host;
  const { identity, platter } = await openPlatter(flags, host);
  const born: { member?: MemberProcess } = {};
  const storage = new SimStorage(identity, {
    platter,
    hardware,
    snapshotId: () => random.name(),
    chunkBytes: settings.chunkBytes,
    observer: host.observe(() => born.member),
  });
  const store = new ObservedStore(storage.state, settings, witness);
  const { log, hardState, configurations } = storage;
  const { memberId: id } = storage.identity;
  const applied = logIndex(store.appliedIndex);
  const node = new RaftNode(raftConfigOf(settings, id, random), { log, hardState, applied, configurations });
  const transport = host.wrap(createPeers({ storage, store, node }, host));
  const reserve = new DiskReserve({ reserveBytes, logger });
  const { onRemoved, fatal } = host;
  const replica = new AskedByRoot(replicaOptionsOf(settings, storage.identity.name), {
    node,
    store,
    storage,
    transport,
    clock,
    logger,
    reserve,
    proposer: random.name(),
    random,
    onRemoved,
    fatal,
  });
  born.member = { id, name: storage.identity.name, life, node, store, storage, replica, reserve };
  onBorn(born.member);
  await replica.start();
}

interface Opened {
  readonly identity: StoredOwner;
  readonly platter: Platter;
}

async function openPlatter({ name, beginning }: Flags, host: Host): Promise<Opened> {
  const { platter } = host;
  if (platter?.owner !== undefined) return { identity: platter.owner, platter };
  const { identity: owner, configuration } =
    beginning.kind === "founder" ? beginning : await introduced(name, beginning.addresses(), host.clock);
  const drawn = host.random.name();
  const identity = { ...owner, incarnation: host.isOlder ? noIncarnation : drawn };
  const fresh = emptyPlatter(configuration);
  host.onPlatter(fresh);
  return { identity, platter: fresh };
}

async function introduced(name: string, addresses: readonly string[], clock: Clock) {
  for (;;) {
    const answer = await askForIntroduction({ name, addresses, tls: undefined }, { clock });
    if (answer.kind === "introduced") {
      const { clusterId, memberId, configuration } = answer;
      return { identity: { clusterId, memberId, name }, configuration };
    }
    if (answer.kind === "refused") throw new NotAMember(answer.reason);
    await new Promise<void>((resolve) => {
      clock.after(askAgainMs, resolve);
    });
  }
}

/** The cluster does not take the process: it ends, as the production one does. */
export class NotAMember extends Error {}

type Parts = Pick<MemberProcess, "storage" | "store" | "node">;

function createPeers({ storage, store, node }: Parts, host: Host): PeerTransport {
  const { clusterId, memberId: id, name, incarnation } = storage.identity;
  const { clock, random, logger, life, isOlder } = host;
  const transport = createTcpTransport(
    {
      self: { id, name, clientAddress: "", incarnation },
      clusterId,
      listenAddresses: [{ host: undefined, port: firstPort + life.machine }],
      peers: [],
      tls: undefined,
      maxFrameBytes: frameBytes,
      introduce: (newcomer) => introduce(node, newcomer),
      isLost: () => node.status().leader === undefined,
      history: () => (isOlder ? noHistory : historyOf(storage, store)),
    },
    { clock, random, logger },
  );
  return isOlder ? deaf(transport) : transport;
}
