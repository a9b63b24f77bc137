/**
 * What the store's alarms mean here. One is in force if it was raised in this cluster, about somebody who
 * belongs to it. Ids are never used again, so replacing a member voids what was raised about it; the leader
 * then lifts it (state-watch.ts).
 */
import { AlarmKind } from "@dkv/protocol/dkv/peer/v1/command";
import { isJoint, membersOf, type NodeId, nodeId, type NodeStatus } from "@dkv/raft";
import type { Alarm, Store } from "@dkv/store";
import { DkvError } from "../../platform/errors.ts";
import type { Identity } from "../../storage/storage.ts";

export interface AlarmsDeps {
  readonly store: Pick<Store, "alarms">;
  readonly identity: Identity;
  readonly status: () => NodeStatus;
}

export class Alarms {
  readonly #deps: AlarmsDeps;

  constructor(deps: AlarmsDeps) {
    this.#deps = deps;
  }

  /** Whether this member's state is known to be another than that of the others. */
  get isCorruptHere(): boolean {
    // Looked at for every request.
    return this.#deps.store.alarms.length > 0 && this.isCorrupt(this.#deps.identity.memberId);
  }

  /** Whether that member's state is known to be another than that of the others. */
  isCorrupt(id: NodeId): boolean {
    const { store, identity, status } = this.#deps;
    const { clusterId } = identity;
    const alarm = { clusterId, memberId: id, kind: AlarmKind.CORRUPT };
    return (
      store.alarms.some((one) => isSame(one, alarm)) &&
      membersOf(status().configuration.configuration).has(id)
    );
  }

  /**
   * Those that mean nothing any more: about who is no member of this cluster, or about the last voter there
   * is, such as after --force-new-cluster. Its state is the cluster's then, right or wrong.
   */
  void(): readonly Alarm[] {
    const { store, identity, status } = this.#deps;
    const { commit, configuration: latest } = status();
    const { configuration } = latest;
    // What is not settled may be taken back, and the member with it.
    if (store.alarms.length === 0 || commit < latest.index || isJoint(configuration)) return [];
    const members = membersOf(configuration);
    const [voter, ...others] = configuration.voters;
    const last = others.length === 0 ? voter : undefined;
    return store.alarms.filter(({ clusterId, memberId }) => {
      const id = nodeId(memberId);
      return clusterId !== identity.clusterId || !members.has(id) || id === last;
    });
  }

  /** What callers are told of a member whose state cannot be trusted. */
  refusal(): DkvError {
    return new DkvError(
      "corrupt",
      "this member's state differs from that of the others: nothing is read or written through it; use another " +
        "member, and replace this one with dkvctl member-replace",
    );
  }
}

const isSame = (a: Alarm, b: Alarm): boolean =>
  a.clusterId === b.clusterId && a.memberId === b.memberId && a.kind === b.kind;
