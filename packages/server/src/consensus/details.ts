/** What operators want to know of a member besides who leads. */
import { AlarmKind } from "@dkv/protocol/dkv/peer/v1/command";
import { isVoter, nodeId, type NodeStatus } from "@dkv/raft";
import type { Alarm, Store } from "@dkv/store";
import type { Storage } from "../storage/storage.ts";
import type { MemberDetails } from "./member.ts";
import type { MembershipTable } from "./membership/table.ts";
import type { Proposals } from "./proposals.ts";

export interface DetailsDeps {
  readonly storage: Pick<Storage, "stateBytes" | "logBytes" | "identity">;
  readonly store: Pick<Store, "compaction" | "alarms">;
  readonly status: NodeStatus;
  readonly table: MembershipTable;
  readonly proposals: Pick<Proposals, "size" | "failures">;
  readonly leaderChanges: number;
}

export async function detailsOf(
  { storage, store, status, table, proposals, leaderChanges }: DetailsDeps,
  quotaBytes: number,
): Promise<MemberDetails> {
  const dataBytes = await storage.stateBytes();
  const { id, configuration } = status;
  const { clusterId } = storage.identity;
  const alarms = store.alarms.filter((alarm) => alarm.clusterId === clusterId);
  return {
    isLearner: !isVoter(configuration.configuration, id),
    compactRevision: store.compaction.revision,
    commitIndex: status.commit,
    dataBytes,
    logBytes: storage.logBytes,
    quotaBytes,
    alarms: alarms.map((alarm) => describe(alarm, table)),
    leaderChanges,
    waitingWrites: proposals.size,
    failedWrites: proposals.failures,
  };
}

function describe({ memberId, kind }: Alarm, table: MembershipTable): string {
  const name = table.nameOf(nodeId(memberId));
  if (kind === AlarmKind.CORRUPT) return `${name}: its state differs from that of the others`;
  if (kind === AlarmKind.NO_SPACE) return `${name}: the state has reached its quota`;
  if (kind === AlarmKind.NO_SPACE_DECLARED) return `${name}: somebody has said that there is no space`;
  return `${name}: an alarm that this version does not know`;
}
