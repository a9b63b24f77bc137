/** The commands of a script about who takes part, snapshots, and logs that drop their beginning. */
import { assert } from "../../src/assert.ts";
import { formatConfiguration, formatEntryId, formatNode } from "../../src/format.ts";
import { logIndex, type NodeId } from "../../src/types.ts";
import { memberChange } from "../solo.ts";
import type { Arguments } from "./arguments.ts";
import type { Cluster } from "./cluster.ts";
import type { Transfer } from "./transfers.ts";

/** What a command works with. */
export interface Stage {
  /** The cluster of the script. */
  readonly the: () => Cluster;
  readonly print: (line: string) => void;
}

export type Commands = Readonly<Record<string, (args: Arguments) => void>>;

export function membershipCommands({ the, print }: Stage): Commands {
  return {
    reconfigure: (args) => {
      const result = the().reconfigure(args.node(), args.rest().map(memberChange));
      print(
        result.kind === "accepted" ? `accepted at ${formatEntryId(result)}` : `dropped: ${result.because}`,
      );
    },
    members: (args) => {
      for (const id of args.nodes() ?? the().ids) print(tellMembers(the(), id));
    },
    compact: (args) => {
      the().compact(args.node(), logIndex(args.count()));
    },
    snapshot: (args) => {
      the().sendSnapshot(args.node(), args.node());
      const { onTheirWay } = the().transfers;
      if (!args.flag("late")) the().deliverSnapshot(takenAt(the(), onTheirWay.length - 1));
    },
    arrive: (args) => {
      const [from, to] = [args.node(), args.node()];
      const transfer = the().transfers.take(from, to);
      assert(transfer !== undefined, "a snapshot is on its way");
      the().deliverSnapshot(transfer);
      if (args.flag("twice")) the().deliverSnapshot(transfer);
    },
    "lose-snapshot": (args) => {
      const [from, to] = [args.node(), args.node()];
      the().transfers.take(from, to);
      the().snapshotFailed(from, to);
    },
  };
}

function takenAt({ transfers }: Cluster, position: number): Transfer {
  const transfer = transfers.takeAt(position);
  assert(transfer !== undefined, "a snapshot is on its way");
  return transfer;
}

/** `2 goes by 5: voters=1,2,3`: the latest configuration of a node, be it committed or not. */
function tellMembers(cluster: Cluster, id: NodeId): string {
  if (cluster.member(id) === undefined) return `${formatNode(id)} is down`;
  const { index, configuration } = cluster.status(id).configuration;
  return `${formatNode(id)} goes by ${String(index)}: ${formatConfiguration(configuration)}`;
}
