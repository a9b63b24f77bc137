/**
 * What the store's alarms mean here. One is in force if it was raised in this cluster, about somebody who
 * belongs to it. Ids are never used again, so replacing a member voids what was raised about it; the leader
 * then lifts it (state-watch.ts). What a caller has declared is in force whoever it is about, until somebody
 * lifts it.
 */
import { create } from "@bufbuild/protobuf";
import { AlarmCommandSchema, AlarmKind } from "@dkv/protocol/dkv/peer/v1/command";
import { isJoint, membersOf, type NodeId, nodeId, type NodeStatus } from "@dkv/raft";
import type { Alarm, LoggedOperation, Store } from "@dkv/store";
import { DkvError } from "../../platform/errors.ts";
import type { Identity } from "../../storage/storage.ts";
import type { MemberAlarm } from "../member.ts";

export interface AlarmsDeps {
  readonly store: Pick<Store, "alarms">;
  readonly identity: Identity;
  readonly status: () => NodeStatus;
  readonly propose: (operation: LoggedOperation, timeoutMs?: number) => Promise<unknown>;
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

  /** Those in force that have a name here. */
  list(): readonly MemberAlarm[] {
    const { store, identity } = this.#deps;
    const raised = store.alarms.filter(({ clusterId }) => clusterId === identity.clusterId);
    const withoutSpace = new Set(raised.filter(isNoSpace).map(({ memberId }) => memberId));
    const corrupt = raised.filter(({ kind }) => kind === AlarmKind.CORRUPT);
    return [
      ...[...withoutSpace].map((memberId) => ({ memberId: nodeId(memberId), kind: "noSpace" }) as const),
      ...corrupt
        .map(({ memberId }) => ({ memberId: nodeId(memberId), kind: "corrupt" }) as const)
        .filter(({ memberId }) => this.isCorrupt(memberId)),
    ];
  }

  /**
   * Declares that a member has no space, which stays so until it is lifted; or lifts that, and what a leader
   * has found. Rejects with a DkvError.
   */
  async setNoSpace(memberId: NodeId, isRaised: boolean, timeoutMs?: number): Promise<void> {
    const { identity, propose } = this.#deps;
    const { clusterId } = identity;
    const declared = { clusterId, memberId, kind: AlarmKind.NO_SPACE_DECLARED };
    const found = { ...declared, kind: AlarmKind.NO_SPACE };
    for (const alarm of isRaised ? [declared] : [declared, found]) {
      const value = create(AlarmCommandSchema, { ...alarm, lift: !isRaised });
      await propose({ case: "alarm", value }, timeoutMs);
    }
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
   * Those that mean nothing any more: of another cluster; found about who is no member; or that the last
   * voter there is be corrupt, such as after --force-new-cluster. Its state is the cluster's then, right or
   * wrong.
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
    return store.alarms.filter(({ clusterId, memberId, kind }) => {
      const id = nodeId(memberId);
      const isOfLast = kind === AlarmKind.CORRUPT && id === last;
      const isOfNobody = kind !== AlarmKind.NO_SPACE_DECLARED && !members.has(id);
      return clusterId !== identity.clusterId || isOfNobody || isOfLast;
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

const isNoSpace = ({ kind }: Alarm): boolean =>
  kind === AlarmKind.NO_SPACE || kind === AlarmKind.NO_SPACE_DECLARED;

const isSame = (a: Alarm, b: Alarm): boolean =>
  a.clusterId === b.clusterId && a.memberId === b.memberId && a.kind === b.kind;
