/** Makes ready what a run needs, and takes it away again. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { prepareCluster } from "@dkv/cluster";
import { CertificateFiles } from "./cluster/certificate-files.ts";
import { Disks } from "./cluster/disks.ts";
import { Fleet, type Trouble } from "./cluster/fleet.ts";
import { connectTo } from "./cluster/stores.ts";
import type { Scene } from "./nemesis/scene.ts";
import { FaultNetwork } from "./network/fault-network.ts";
import type { Options } from "./options.ts";
import type { FaultKind } from "./plan/faults.ts";
import { findFakeTime } from "./platform/fake-time.ts";
import { LogFiles } from "./platform/log-files.ts";
import { whyNoSmallDisks } from "./platform/small-disk.ts";
import { canTellOwners, ownerOf } from "./platform/socket-owner.ts";
import { Random } from "./random.ts";

/** Short times, little history: elections, compaction and snapshots come often. */
const flags = {
  "election-timeout": "500ms",
  "heartbeat-interval": "50ms",
  "snapshot-count": "500",
  "snapshot-catchup-entries": "200",
  "disk-free-reserve": "24MiB",
};

export interface Stage {
  readonly scene: Scene;
  /** Faults that cannot be tried on this machine, each with the reason. */
  readonly leftOut: ReadonlyMap<FaultKind, string>;
  /** Keeps a line beside the members' logs, in `chaos.log`. */
  readonly note: (line: string) => void;
  /** Ends all processes and takes all away, except, with `keep`, logs and data. */
  close(options: { readonly keep: boolean }): Promise<void>;
}

/** @param directory is there, empty, and nobody else's */
export async function prepareStage(
  directory: string,
  options: Options,
  onTrouble: (trouble: Trouble) => void,
): Promise<Stage> {
  if (!canTellOwners()) throw new Error("chaos needs Linux: /proc tells which member has dialled");
  const certificates = await CertificateFiles.make(directory);
  const logs = new LogFiles(join(directory, "logs"));
  // The fleet is made with the network's addresses, and the network asks it who runs.
  const known: { fleet: Fleet | undefined } = { fleet: undefined };
  const network = new FaultNetwork({
    random: new Random(options.seed, "network"),
    dialerAt: (port) => ownerOf(port, processesOf(known.fleet)),
  });
  const cluster = await prepareCluster({
    directory: join(directory, "members"),
    members: options.members,
    tls: { certificates: certificates.directory },
    flags,
    peerAddressOf: (name, listenAddress) => network.open(name, listenAddress),
    onLine: logs.write,
  });
  const fleet = new Fleet(cluster, onTrouble);
  known.fleet = fleet;
  const disks = new Disks();
  const noSmallDisks = whyNoSmallDisks(directory);
  if (noSmallDisks === undefined) {
    const minority = Math.floor((options.members - 1) / 2);
    for (const member of fleet.members.slice(0, minority)) disks.makeSmall(member);
  }
  const library = options.fakeTime ?? findFakeTime();
  const fakeTime = library === undefined ? undefined : { library, file: join(directory, "time-of-day") };
  const clients = connectTo(cluster, certificates.caFile, options.api);
  const scene: Scene = { fleet, network, clients, disks, certificates, fakeTime };
  return {
    scene,
    leftOut: reasons(options.kinds, {
      fullDisk: noSmallDisks,
      clock: library === undefined ? "libfaketime is not installed" : undefined,
    }),
    note: (line) => logs.write("chaos", line),
    close: async ({ keep }) => {
      clients.close();
      await scene.fleet.endAll();
      network.close();
      logs.close();
      disks.close({ keep });
      if (!keep) rmSync(directory, { recursive: true, force: true });
    },
  };
}

function processesOf(fleet: Fleet | undefined): readonly { readonly name: string; readonly pid: number }[] {
  return (fleet?.processes ?? []).flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }]));
}

function reasons(
  kinds: readonly FaultKind[],
  known: Partial<Record<FaultKind, string | undefined>>,
): ReadonlyMap<FaultKind, string> {
  return new Map(
    kinds.flatMap((kind) => {
      const reason = known[kind];
      return reason === undefined ? [] : [[kind, reason]];
    }),
  );
}
