/**
 * Opens the data directory of the member that the flags describe. At its first start that is made:
 *
 *   --initial-cluster-state=new       the members that all were told begin a cluster together
 *   --initial-cluster-state=existing  a member that was added asks the others who it is, until one knows
 */
import { readdirSync } from "node:fs";
import type { Logger } from "pino";
import { initialConfiguration } from "@dkv/raft";
import { encodeMembership } from "../codec/membership-codec.ts";
import { checkInitialCluster, checkPeersAreSafe, type Config } from "../config/config.ts";
import { clusterIdOf, memberIdOf } from "../config/identity.ts";
import { listenings } from "../config/listening.ts";
import { MembershipTable } from "../consensus/membership/table.ts";
import { checkAddresses } from "../platform/listening.ts";
import type { Random } from "../platform/random.ts";
import { StartupError } from "../platform/startup-error.ts";
import { readTlsMaterial } from "../platform/tls-files.ts";
import { holdsMember, openStorage, type OpenStorageOptions } from "../storage/open-storage.ts";
import { refuseRemoved } from "../storage/removal-note.ts";
import type { Storage } from "../storage/storage.ts";
import { askForIntroduction } from "../transport/introduction.ts";
import type { TransportDeps } from "../transport/options.ts";
import { forceNewCluster } from "./force-new-cluster.ts";

/** How often a new member asks who it is. */
const askAgainMs = 1000;

export interface OpenMemberDeps extends TransportDeps {
  readonly random: Random;
}

type Beginning = Pick<OpenStorageOptions, "identity" | "configuration" | "mayCreate">;

/** Rejects with a StartupError. Waits for as long as it takes until a new member has been added. */
export async function openMember(config: Config, deps: OpenMemberDeps): Promise<Storage> {
  const { dataDir, initialCluster } = config;
  const { clock, random, logger } = deps;
  refuseRemoved(dataDir);
  const isFirst = !holdsMember(dataDir) && !config.forceNewCluster;
  if (isFirst) checkMembers(config);
  checkPeersAreSafe(config);
  if (config.peerTls !== undefined) readTlsMaterial(config.peerTls, "--peer-");
  if (config.clientTls !== undefined) readTlsMaterial(config.clientTls, "--");
  const beginning = isFirst ? await firstStart(config, deps) : laterStart(config);
  const options = { dataDir, ...beginning, clock, random, logger };
  if (config.forceNewCluster) await forceNewCluster(options);
  const { storage, created } = await openStorage(options);
  const isNamed = config.initialClusterState === "new" && initialCluster.length > 0;
  const isAnother = isNamed && storage.identity.clusterId !== beginning.identity.clusterId;
  if (!created && isAnother && !areMembers(initialCluster, storage)) sayIgnored(config, logger);
  return storage;
}

/** Flags often stay as they were while the cluster changes; a file that a launcher reads is thought to hold. */
function sayIgnored({ dataDir, initialClusterSetBy: setBy }: Config, logger: Logger): void {
  const because = "the data directory is in use already";
  if (setBy === undefined)
    logger.info({ dataDir }, `${because}: --initial-cluster and its token are ignored`);
  else logger.warn({ dataDir }, `${because}: its members are not those of ${setBy}, which are ignored`);
}

/** A restored cluster, too, has an id that its members do not give it. */
function areMembers(initialCluster: Config["initialCluster"], { configurations }: Storage): boolean {
  const { configuration } = configurations.at(-1) ?? configurations[0];
  const { members } = new MembershipTable(configuration);
  const addresses = new Map(members.map(({ name, peerAddress }) => [name, peerAddress]));
  return (
    addresses.size === initialCluster.length &&
    initialCluster.every(({ name, address }) => addresses.get(name) === address)
  );
}

/** Whoever has data goes by that, whatever members the flags name. */
function checkMembers(config: Config): void {
  const { name, dataDir, initialCluster } = config;
  checkInitialCluster(config);
  // What a start has left that was cut short is looked at by whoever opens it.
  if (initialCluster.length > 0 || !isUntouched(dataDir)) return;
  throw new StartupError(
    "usage",
    `--initial-cluster is missing, and ${dataDir} holds no member: for a new cluster name all of its members, ` +
      `such as --initial-cluster=${name}=localhost:2380; to join one, name some of its members and add ` +
      "--initial-cluster-state=existing; a member that ran before needs its --data-dir",
  );
}

/** Whether nobody has put anything there. */
function isUntouched(dataDir: string): boolean {
  try {
    return readdirSync(dataDir).length === 0;
  } catch {
    return true;
  }
}

/**
 * A first start makes the member, once for all, of the cluster that its flags describe. So flags that cannot
 * be right are found before: what they are replaced with may describe another.
 */
async function firstStart(config: Config, deps: OpenMemberDeps): Promise<Beginning> {
  await checkAddresses(listenings(config));
  return config.initialClusterState === "new" || config.initialCluster.length === 0
    ? founding(config)
    : introduced(config, deps);
}

/** One that goes by what it has, which the flags may only be compared with. */
function laterStart(config: Config): Beginning {
  return {
    identity: ownerIn(config),
    configuration: initialConfiguration([], encodeMembership({ rows: [], history: 0n })),
    mayCreate: false,
  };
}

/** One of those that begin the cluster. */
function founding(config: Config): Beginning {
  const { initialCluster, initialClusterState } = config;
  const rows = initialCluster.map((member) => ({
    id: memberIdOf(member.name),
    name: member.name,
    peerAddress: member.address,
    incarnation: 0n,
  }));
  return {
    identity: ownerIn(config),
    configuration: initialConfiguration(
      rows.map(({ id }) => id),
      encodeMembership({ rows, history: 0n }),
    ),
    mayCreate: initialClusterState === "new" && initialCluster.length > 0,
  };
}

/** Whose directory it is, if the cluster is the one that the flags describe. */
function ownerIn({ name, initialCluster, initialClusterToken }: Config): Beginning["identity"] {
  return {
    clusterId: clusterIdOf(initialClusterToken, initialCluster),
    memberId: memberIdOf(name),
    name,
  };
}

/** One that was added to a cluster, as a learner in the configuration that it is told. */
async function introduced(config: Config, { clock, logger }: OpenMemberDeps): Promise<Beginning> {
  const { name, initialCluster, peerTls: tls } = config;
  const isSelf = (member: { readonly name: string }): boolean => member.name === name;
  const addresses = initialCluster.filter((member) => !isSelf(member)).map(({ address }) => address);
  const ownAddress = initialCluster.find(isSelf)?.address ?? config.advertisePeerAddress;
  let told = "";
  for (;;) {
    const answer = await askForIntroduction({ name, ownAddress, addresses, tls }, { clock });
    if (answer.kind === "introduced") {
      const { clusterId, memberId, configuration } = answer;
      return { identity: { clusterId, memberId, name }, configuration };
    }
    if (answer.kind === "refused")
      throw new StartupError("environment", `the cluster does not take ${name}: ${answer.reason}`);
    if (answer.reason !== told) logger.warn({ reason: answer.reason }, "not a member yet; asking again");
    told = answer.reason;
    await new Promise<void>((resolve) => {
      clock.after(askAgainMs, resolve);
    });
  }
}
