/**
 * The fields of answers that are not compared as they are, each with the reason. All others have to be equal.
 */
import type { DescField } from "@bufbuild/protobuf";
import { isList } from "../step.ts";
import { type Convert, type Plain, textOf } from "../message/plain.ts";
import type { Names } from "./names.ts";

type Treatment =
  /** Not compared at all. */
  | "left out"
  /** Both have to have one, whatever it is. */
  | "only whether it is there"
  /** Compared by the name that the run has for it. */
  | "member"
  | "lease"
  /** Ids and addresses in it are replaced by names. */
  | "names in texts"
  | "in any order"
  /** In any order, as often as it may be there. */
  | "as a set"
  /** Compared in tens of thousands of seconds, rounded up. */
  | "coarsely";

export interface Rule {
  readonly treatment: Treatment;
  readonly why: string;
}

const headers = "each cluster draws its own";
const sizes = "two stores lay their data out differently";
const raft = "how many entries and elections it took is each implementation's own business";
const unordered = "etcd goes through a map, whose order is another one every time";

/** By message and field, without the package. */
export const rules: Readonly<Record<string, Rule>> = {
  "ResponseHeader.cluster_id": { treatment: "only whether it is there", why: headers },
  "ResponseHeader.member_id": { treatment: "only whether it is there", why: headers },
  "ResponseHeader.raft_term": { treatment: "only whether it is there", why: raft },
  "LeaseGrantResponse.ID": { treatment: "lease", why: "the server chooses it if the client does not" },
  "LeaseStatus.ID": { treatment: "lease", why: "the server chooses it if the client does not" },
  "LeaseKeepAliveResponse.ID": { treatment: "lease", why: "the server chooses it if the client does not" },
  "LeaseTimeToLiveResponse.ID": { treatment: "lease", why: "the server chooses it if the client does not" },
  "LeaseTimeToLiveResponse.TTL": { treatment: "coarsely", why: "two clocks go on between two answers" },
  "LeaseTimeToLiveResponse.keys": { treatment: "in any order", why: unordered },
  "Member.ID": { treatment: "member", why: "hashed from names, addresses and the time" },
  "Member.peerURLs": { treatment: "names in texts", why: "two servers cannot have the same address" },
  "Member.clientURLs": { treatment: "names in texts", why: "two servers cannot have the same address" },
  "MemberListResponse.members": { treatment: "in any order", why: "ordered by ids, which differ" },
  "MemberAddResponse.members": { treatment: "in any order", why: "ordered by ids, which differ" },
  "MemberRemoveResponse.members": { treatment: "in any order", why: "ordered by ids, which differ" },
  "MemberUpdateResponse.members": { treatment: "in any order", why: "ordered by ids, which differ" },
  "MemberPromoteResponse.members": { treatment: "in any order", why: "ordered by ids, which differ" },
  "AlarmMember.memberID": { treatment: "member", why: "hashed from names, addresses and the time" },
  "AlarmResponse.header": { treatment: "left out", why: "etcd 3.4 does not fill it in, newer ones do" },
  "LeaseLeasesResponse.leases": {
    treatment: "in any order",
    why: "by the time that is left, of which only the leader knows",
  },
  "AuthRoleGetResponse.perm": {
    treatment: "as a set",
    why: "those of one key stand in any order, and etcd may keep one of them twice",
  },
  "AlarmResponse.alarms": { treatment: "in any order", why: unordered },
  "StatusResponse.version": { treatment: "left out", why: "dkv says what clients of newer etcds ask for" },
  "StatusResponse.dbSize": { treatment: "only whether it is there", why: sizes },
  "StatusResponse.dbSizeInUse": { treatment: "only whether it is there", why: sizes },
  "StatusResponse.leader": { treatment: "only whether it is there", why: "whoever was elected" },
  "StatusResponse.raftIndex": { treatment: "only whether it is there", why: raft },
  "StatusResponse.raftTerm": { treatment: "only whether it is there", why: raft },
  "StatusResponse.raftAppliedIndex": { treatment: "only whether it is there", why: raft },
  "StatusResponse.errors": { treatment: "names in texts", why: "they name members by their ids" },
  "AuthenticateResponse.token": { treatment: "only whether it is there", why: "drawn at random" },
};

/** Fields that etcd 3.4 does not have yet: left out, whatever dkv says in them. */
export const laterFields: readonly string[] = [
  "StatusResponse.storageVersion",
  "StatusResponse.dbSizeQuota",
  "StatusResponse.downgradeInfo",
  "HashKVResponse.hash_revision",
];

/** Texts of errors that are taken for the same, each with the reason. */
export const alikeTexts: readonly {
  readonly texts: readonly [string, string];
  readonly why: string;
}[] = [
  {
    texts: ["etcdserver: member ID already exist", "etcdserver: Peer URLs already exists"],
    why: "etcd makes ids of addresses and the second, and says the former within one and the same",
  },
];

/** The text, or the other one that it is taken for. */
export function oneOfAlike(text: string): string {
  return alikeTexts.find(({ texts }) => texts[0] === text)?.texts[1] ?? text;
}

/** Applies the rules to the answers of one server. */
export function underRules(names: Names): Convert {
  return (field, value) => {
    const name = `${field.parent.name}.${field.name}`;
    if (laterFields.includes(name)) return undefined;
    const rule = rules[name];
    return rule === undefined ? value : treated(rule.treatment, { field, value, names });
  };
}

interface Treated {
  readonly field: DescField;
  readonly value: Plain;
  readonly names: Names;
}

function treated(treatment: Treatment, { field, value, names }: Treated): Plain | undefined {
  switch (treatment) {
    case "left out":
      return undefined;
    case "only whether it is there":
      return "(some)";
    case "member":
      return names.member(value);
    case "lease":
      return names.lease(value);
    case "names in texts":
      return isList(value) ? value.map((text) => names.inText(textOf(text))) : names.inText(textOf(value));
    case "in any order":
      return ordered(field, value).map(([, item]) => item);
    case "as a set":
      return [...new Map(ordered(field, value)).values()];
    case "coarsely": {
      const seconds = Number(value);
      return seconds <= 0 ? seconds : Math.ceil(seconds / 10_000);
    }
  }
}

function ordered({ name }: DescField, value: Plain): readonly (readonly [string, Plain])[] {
  if (!isList(value)) throw new RangeError(`${name} is not a list`);
  return value.map((item) => [JSON.stringify(item), item] as const).toSorted(byText);
}

function byText([a]: readonly [string, Plain], [b]: readonly [string, Plain]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
