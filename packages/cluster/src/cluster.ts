import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type ClusterPlan, type Flags, type MemberPlan, memberFlags, newcomerFlags } from "./flags.ts";
import { agreedLeader, readView, readVoters } from "./leader.ts";
import { Member } from "./member.ts";
import { plainEnvironment } from "./platform/environment.ts";
import { freePorts } from "./platform/ports.ts";
import { poll } from "./platform/time.ts";

const dkv = fileURLToPath(new URL("../../server/bin/dkv.js", import.meta.url));

/** How long waitForLeader waits unless told otherwise: many elections. */
const leaderMs = 20_000;

/** How long waitForVoters waits: a new member may get all there is first. */
const votersMs = 40_000;

const getServers = "/dkv.v1.MembershipAPI/GetServers";

export interface ClusterOptions {
  /** The members' data is kept in `dkv-0`, `dkv-1` and so on below it. Made if it is not there. */
  readonly directory: string;
  /** How many; 3 by default. */
  readonly members?: number;
  /**
   * Peers with mutual TLS and clients with TLS, by the certificates of a directory that `make certs` made.
   */
  readonly tls?: { readonly certificates: string } | undefined;
  /** One for each member; free ones by default. */
  readonly peerPorts?: readonly number[];
  readonly clientPorts?: readonly number[];
  /**
   * Where the others are told to reach the member of that name, which listens on `localhost:port`: for
   * something that stands between them. There, by default.
   */
  readonly peerAddressOf?: (name: string, listenAddress: string) => Promise<string>;
  /** For all members, over the usual ones: `{ "election-timeout": "300ms" }`. */
  readonly flags?: Flags;
  /** Added to this process's environment, from which what configures dkv is taken away first. */
  readonly env?: Readonly<Record<string, string>>;
  /** Takes each line that a member prints. */
  readonly onLine?: (member: string, line: string) => void;
}

/** Members of one cluster, each a real dkv process on this machine. */
export class Cluster {
  readonly #members: Member[];
  readonly #makeNewcomer: MakeNewcomer;

  /** None of the members is started yet. */
  constructor(members: readonly Member[], makeNewcomer: MakeNewcomer) {
    this.#members = [...members];
    this.#makeNewcomer = makeNewcomer;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /**
   * A further member with free addresses and no data. It does not run: it has to be added to the cluster, and
   * started, in either order.
   */
  async newMember(name: string): Promise<Member> {
    const member = await this.#makeNewcomer(name, this.#members);
    this.#members.push(member);
    return member;
  }

  /** Counts one no more that has left. Whether it runs is the caller's business. */
  forget(member: Member): void {
    this.#members.splice(this.#members.indexOf(member), 1);
  }

  /** The member of that name. Throws if there is none. */
  member(name: string): Member {
    const found = this.members.find((member) => member.name === name);
    if (found === undefined) throw new Error(`no member is named ${name}`);
    return found;
  }

  /** Starts those that do not run, and resolves when each answers its clients. */
  async start(): Promise<void> {
    const idle = this.members.filter((member) => !member.isRunning);
    for (const member of idle) member.start();
    await Promise.all(idle.map((member) => member.waitReady()));
  }

  /** The name of the leader that a majority follows now; undefined if there is none. */
  async leader(): Promise<string | undefined> {
    const running = this.members.filter((member) => member.isRunning);
    const views = await Promise.all(
      running.map(async (member) => readView(member.name, await member.askJson(getServers, {}))),
    );
    return agreedLeader(
      views.filter((view) => view !== undefined),
      this.members.length,
    );
  }

  /** Resolves to the name of a leader that a majority follows. Rejects when there is none in time. */
  waitForLeader({ timeoutMs = leaderMs }: { readonly timeoutMs?: number } = {}): Promise<string> {
    return poll(() => this.leader(), {
      timeoutMs,
      explain: () =>
        new Error(`no leader after ${String(timeoutMs / 1000)} s; running: ${this.#describeRunning()}`),
    });
  }

  /**
   * Resolves when every member that runs takes these for all the voters there are, and knows of no learner.
   * Rejects when they do not in time.
   */
  async waitForVoters(names: readonly string[]): Promise<void> {
    let said: readonly string[] = [];
    const ask = async (): Promise<true | undefined> => {
      const running = this.#members.filter((member) => member.isRunning);
      const lists = await Promise.all(
        running.map(async (member) => describeList(readVoters(await member.askJson(getServers, {})))),
      );
      said = lists.map((list, at) => `${running[at]?.name ?? ""} says ${list}`);
      return lists.length > 0 && lists.every((list) => list === describeList(names)) ? true : undefined;
    };
    await poll(ask, {
      timeoutMs: votersMs,
      explain: () => new Error(`the voters are not ${describeList(names)}: ${said.join("; ")}`),
    });
  }

  /** Stops all that run, at once. Rejects if one had to be killed. */
  async stop(): Promise<void> {
    const running = this.members.filter((member) => member.isRunning);
    const results = await Promise.allSettled(running.map((member) => member.stop()));
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  #describeRunning(): string {
    const names = this.members.filter(({ isRunning }) => isRunning).map(({ name }) => name);
    return names.length === 0 ? "none" : names.join(", ");
  }
}

type MakeNewcomer = (name: string, others: readonly MemberPlan[]) => Promise<Member>;

/** The same for every order of the same names. */
function describeList(names: readonly string[] | undefined): string {
  return names === undefined ? "nothing" : [...names].sort(compare).join(", ");
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Makes ready a cluster of real processes without starting them. */
export async function prepareCluster(options: ClusterOptions): Promise<Cluster> {
  const directory = resolve(options.directory);
  await mkdir(directory, { recursive: true });
  const plan = await planCluster(options, directory);
  const { certificates } = plan;
  const environment = { ...plainEnvironment(), ...options.env };
  const onLine = options.onLine ?? (() => undefined);
  const make = (member: MemberPlan, own: Flags): Member => {
    const flags = { ...own, ...options.flags };
    return new Member({ plan: member, flags, program: dkv, directory, environment, certificates, onLine });
  };
  const members = plan.members.map((member) => make(member, memberFlags(member, plan)));
  return new Cluster(members, async (name, others) => {
    const [peerPort, clientPort] = await freePorts(2);
    const member = await planMember(name, { options, directory, peerPort, clientPort });
    return make(member, newcomerFlags(member, { members: others, certificates }));
  });
}

/**
 * Starts a cluster of real processes and resolves when each member answers its clients; a leader may take a
 * moment longer. Nothing is left behind when it rejects, nor when this process dies.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const cluster = await prepareCluster(options);
  try {
    await cluster.start();
  } catch (error) {
    await Promise.allSettled(
      cluster.members.filter(({ isRunning }) => isRunning).map((member) => member.kill()),
    );
    throw error;
  }
  return cluster;
}

async function planCluster(options: ClusterOptions, directory: string): Promise<ClusterPlan> {
  const size = options.members ?? options.peerPorts?.length ?? 3;
  const free = await freePorts(2 * size);
  const planned = Array.from({ length: size }, (_, at): Promise<MemberPlan> => {
    const peerPort = options.peerPorts?.[at] ?? free[2 * at];
    const clientPort = options.clientPorts?.[at] ?? free[2 * at + 1];
    return planMember(`dkv-${String(at)}`, { options, directory, peerPort, clientPort });
  });
  const members = await Promise.all(planned);
  const certificates = options.tls === undefined ? undefined : resolve(options.tls.certificates);
  return { members, certificates };
}

interface Place {
  readonly options: ClusterOptions;
  /** Absolute. */
  readonly directory: string;
  readonly peerPort: number | undefined;
  readonly clientPort: number | undefined;
}

async function planMember(name: string, place: Place): Promise<MemberPlan> {
  const listenAddress = `localhost:${String(place.peerPort)}`;
  const peerAddress = await place.options.peerAddressOf?.(name, listenAddress);
  return {
    name,
    peerAddress: peerAddress ?? listenAddress,
    ...(peerAddress === undefined ? {} : { listenPeerAddress: listenAddress }),
    clientAddress: `localhost:${String(place.clientPort)}`,
    dataDir: join(place.directory, name),
  };
}
