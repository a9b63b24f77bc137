/** What operators of etcd ask for. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type AlarmMemberSchema,
  type AlarmRequest,
  AlarmRequest_AlarmAction as Action,
  type AlarmResponseSchema,
  AlarmType,
  type DefragmentResponseSchema,
  type DowngradeRequest,
  DowngradeRequest_DowngradeAction as DowngradeAction,
  type DowngradeResponseSchema,
  type HashKVRequest,
  type HashKVResponseSchema,
  type HashResponseSchema,
  type MoveLeaderRequest,
  type MoveLeaderResponseSchema,
  type StatusResponseSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { nodeId } from "@dkv/raft";
import type { Member, MemberAlarm } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { etcdVersion } from "../../version.ts";
import { revisionOf } from "../dkv-v1/numbers.ts";
import { etcdError, etcdErrorText } from "./errors.ts";
import { headerOf } from "./header.ts";
import type { CallInfo } from "./method.ts";

/** Of a history without any change. */
const hashOfNothing = 1084519789;

/** Every method rejects with a DkvError, or with an error of etcd. */
export class MaintenanceService {
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
  }

  async status(): Promise<MessageInitShape<typeof StatusResponseSchema>> {
    const details = await this.#member.details();
    const { leaderId, term, appliedIndex } = this.#member.status();
    const bytes = BigInt(details.dataBytes);
    const leaderless = leaderId === undefined ? [etcdErrorText("noLeader")] : [];
    return {
      header: headerOf(this.#member),
      version: etcdVersion,
      dbSize: bytes,
      dbSizeInUse: bytes,
      leader: leaderId ?? 0n,
      raftIndex: BigInt(details.commitIndex),
      raftTerm: BigInt(term),
      raftAppliedIndex: BigInt(appliedIndex),
      errors: [...leaderless, ...this.#member.alarms().map(alarmText)],
      isLearner: details.isLearner,
      storageVersion: etcdVersion,
      dbSizeQuota: BigInt(details.quotaBytes),
      downgradeInfo: { enabled: false },
    };
  }

  /** There is nothing to do: the space is given back all the time. */
  defragment(): Promise<MessageInitShape<typeof DefragmentResponseSchema>> {
    return Promise.resolve({});
  }

  async hash(): Promise<MessageInitShape<typeof HashResponseSchema>> {
    const { hash, revision } = await this.#member.hashHistory(0);
    return { header: headerOf(this.#member, revision), hash };
  }

  async hashKv({ revision }: HashKVRequest): Promise<MessageInitShape<typeof HashKVResponseSchema>> {
    if (revision < 0n) return this.#hashOfNothing(revision);
    const result = await this.#member.hashHistory(revisionOf(revision));
    return {
      header: headerOf(this.#member, result.revision),
      hash: result.hash,
      compactRevision: BigInt(result.compactRevision),
      hashRevision: BigInt(result.hashedRevision),
    };
  }

  async alarm(
    request: AlarmRequest,
    { timeoutMs }: CallInfo,
  ): Promise<MessageInitShape<typeof AlarmResponseSchema>> {
    const alarms = await this.#alarms(request, timeoutMs);
    return { header: headerOf(this.#member), alarms: alarms.map(alarmRow) };
  }

  async moveLeader(
    { targetID }: MoveLeaderRequest,
    { timeoutMs }: CallInfo,
  ): Promise<MessageInitShape<typeof MoveLeaderResponseSchema>> {
    const { memberId, leaderId } = this.#member.status();
    if (leaderId !== memberId) throw etcdError("notLeader");
    const target = (await this.#member.members(timeoutMs)).find(({ id }) => id === targetID);
    if (target?.role !== "voter") throw etcdError("badLeaderTransferee");
    await this.#member.moveLeader(target.name, timeoutMs);
    return {};
  }

  /** There is no earlier version of dkv to which a cluster could go back. */
  downgrade({
    action,
    version,
  }: DowngradeRequest): Promise<MessageInitShape<typeof DowngradeResponseSchema>> {
    if (action === DowngradeAction.CANCEL) throw etcdError("noInflightDowngrade");
    if (!/^\d+\.\d+(\.\d+)?$/.test(version)) throw etcdError("wrongDowngradeVersionFormat");
    throw etcdError("invalidDowngradeTarget");
  }

  /** Up to a revision before all others there is nothing, whatever was given up. */
  async #hashOfNothing(revision: bigint): Promise<MessageInitShape<typeof HashKVResponseSchema>> {
    const { compactRevision } = await this.#member.details();
    return {
      header: headerOf(this.#member),
      hash: hashOfNothing,
      compactRevision: BigInt(compactRevision),
      hashRevision: revision,
    };
  }

  /** Those that were asked for, raised or lifted. */
  async #alarms(request: AlarmRequest, timeoutMs: CallInfo["timeoutMs"]): Promise<readonly MemberAlarm[]> {
    const wanted = ofKind(request.alarm);
    const known = this.#member.alarms();
    if (request.action === Action.GET)
      return known.filter(({ kind }) => wanted === undefined || kind === wanted);
    if (wanted === undefined) return [];
    if (wanted === "corrupt") throw corruptIsFound();
    const alarm: MemberAlarm = { memberId: nodeId(request.memberID), kind: wanted };
    const isThere = known.some(({ memberId, kind }) => memberId === alarm.memberId && kind === wanted);
    const isRaised = request.action === Action.ACTIVATE;
    await this.#member.setNoSpace(alarm.memberId, isRaised, timeoutMs);
    return isThere || isRaised ? [alarm] : [];
  }
}

const kinds: Readonly<Record<number, MemberAlarm["kind"]>> = {
  [AlarmType.NOSPACE]: "noSpace",
  [AlarmType.CORRUPT]: "corrupt",
};

const types: Readonly<Record<MemberAlarm["kind"], typeof AlarmType.NOSPACE | typeof AlarmType.CORRUPT>> = {
  noSpace: AlarmType.NOSPACE,
  corrupt: AlarmType.CORRUPT,
};

const ofKind = (type: AlarmType): MemberAlarm["kind"] | undefined => kinds[type];

const alarmRow = ({ memberId, kind }: MemberAlarm): MessageInitShape<typeof AlarmMemberSchema> => ({
  memberID: memberId,
  alarm: types[kind],
});

/** As etcd writes one. */
const alarmText = ({ memberId, kind }: MemberAlarm): string =>
  `memberID:${String(memberId)} alarm:${kind === "noSpace" ? "NOSPACE" : "CORRUPT"} `;

function corruptIsFound(): DkvError {
  return new DkvError(
    "preconditionFailed",
    "whose state differs from that of the others is found by comparison, and stays out of service: replace that " +
      "member, with member remove and member add",
  );
}
