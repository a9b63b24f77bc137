/** Makes the store's operations of etcd's requests, which have been checked. */
import { create } from "@bufbuild/protobuf";
import {
  CompareRelation,
  CompareSchema as StoreCompareSchema,
  type DeleteCommand,
  RangeOperationSchema,
  RangeOrder,
  RangeTarget,
  type SetCommand,
  type TxnCommand,
  TxnCommandSchema,
  TxnOperationSchema,
} from "@dkv/protocol/dkv/peer/v1/command";
import {
  type Compare,
  Compare_CompareResult as Result,
  Compare_CompareTarget as Target,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  RangeRequest_SortOrder as SortOrder,
  RangeRequest_SortTarget as SortTarget,
  type RequestOp,
  type TxnRequest,
} from "@dkv/protocol/etcdserverpb/rpc";
import type { RangeOperation } from "@dkv/store";

type StoreCompare = TxnCommand["compares"][number];
type StoreOperation = TxnCommand["success"][number];

const orders: Readonly<Record<number, RangeOrder>> = {
  [SortOrder.NONE]: RangeOrder.UNSPECIFIED,
  [SortOrder.ASCEND]: RangeOrder.ASCENDING,
  [SortOrder.DESCEND]: RangeOrder.DESCENDING,
};

const targets: Readonly<Record<number, RangeTarget>> = {
  [SortTarget.KEY]: RangeTarget.UNSPECIFIED,
  [SortTarget.VERSION]: RangeTarget.VERSION,
  [SortTarget.CREATE]: RangeTarget.CREATE_REVISION,
  [SortTarget.MOD]: RangeTarget.MOD_REVISION,
  [SortTarget.VALUE]: RangeTarget.VALUE,
};

export function rangeOperation(request: RangeRequest): RangeOperation {
  return create(RangeOperationSchema, {
    key: request.key,
    rangeEnd: request.rangeEnd,
    limit: request.limit,
    revision: request.revision,
    order: orders[request.sortOrder] ?? RangeOrder.UNSPECIFIED,
    target: targets[request.sortTarget] ?? RangeTarget.UNSPECIFIED,
    keysOnly: request.keysOnly,
    countOnly: request.countOnly,
    minModRevision: request.minModRevision,
    maxModRevision: request.maxModRevision,
    minCreateRevision: request.minCreateRevision,
    maxCreateRevision: request.maxCreateRevision,
  });
}

/** Written out, for every put is one: `create` takes as long as encoding it. */
export function setCommand(request: PutRequest): SetCommand {
  return {
    $typeName: "dkv.peer.v1.SetCommand",
    key: request.key,
    value: request.value,
    lease: request.lease,
    grantTtl: 0n,
    wantPrevious: request.prevKv,
    keepValue: request.ignoreValue,
    keepLease: request.ignoreLease,
  };
}

export function deleteCommand({ key, rangeEnd, prevKv }: DeleteRangeRequest): DeleteCommand {
  return { $typeName: "dkv.peer.v1.DeleteCommand", key, rangeEnd, wantPrevious: prevKv };
}

export function txnCommand({ compare, success, failure }: TxnRequest): TxnCommand {
  return create(TxnCommandSchema, {
    compares: compare.map(storeCompare),
    success: success.map(storeOperation),
    failure: failure.map(storeOperation),
  });
}

function storeOperation({ request }: RequestOp): StoreOperation {
  return create(TxnOperationSchema, { operation: converted(request) });
}

function converted(request: RequestOp["request"]): StoreOperation["operation"] {
  switch (request.case) {
    case "requestRange":
      return { case: "range", value: rangeOperation(request.value) };
    case "requestPut":
      return { case: "set", value: setCommand(request.value) };
    case "requestDeleteRange":
      return { case: "delete", value: deleteCommand(request.value) };
    case "requestTxn":
      return { case: "txn", value: txnCommand(request.value) };
    case undefined:
      return { case: undefined };
  }
}

const relations: Readonly<Record<number, CompareRelation>> = {
  [Result.EQUAL]: CompareRelation.UNSPECIFIED,
  [Result.GREATER]: CompareRelation.GREATER,
  [Result.LESS]: CompareRelation.LESS,
  [Result.NOT_EQUAL]: CompareRelation.NOT_EQUAL,
};

function storeCompare({ key, rangeEnd, result, target, targetUnion }: Compare): StoreCompare {
  const relation = relations[result];
  const keys = { key, rangeEnd };
  // What etcd does not know it finds to be equal; and a relation that it does not know, to hold.
  if (!compareTargets.has(target)) return constant(keys, relation === undefined || result === Result.EQUAL);
  if (relation === undefined) return target === Target.VALUE ? exists(keys) : constant(keys, true);
  return create(StoreCompareSchema, { ...keys, relation, target: storeTarget(target, targetUnion) });
}

type Keys = Pick<Compare, "key" | "rangeEnd">;

/** A comparison that holds always, or never. */
const constant = (keys: Keys, isHolding: boolean): StoreCompare => versionAbove(keys, isHolding ? -1n : most);

/** The value of a key that is missing is in no relation to anything. */
const exists = (keys: Keys): StoreCompare => versionAbove(keys, 0n);

/** No version is above. */
const most = BigInt(Number.MAX_SAFE_INTEGER);

const versionAbove = (keys: Keys, value: bigint): StoreCompare =>
  create(StoreCompareSchema, {
    ...keys,
    relation: CompareRelation.GREATER,
    target: { case: "version", value },
  });

const compareTargets: ReadonlySet<number> = new Set(Object.values(Target));

/** What is compared with; what is given for another target does not count, and nothing is 0, or empty. */
function storeTarget(target: Target, given: Compare["targetUnion"]): StoreCompare["target"] {
  switch (target) {
    case Target.CREATE:
      return { case: "createRevision", value: given.case === "createRevision" ? given.value : 0n };
    case Target.MOD:
      return { case: "modRevision", value: given.case === "modRevision" ? given.value : 0n };
    case Target.VALUE:
      return { case: "value", value: given.case === "value" ? given.value : new Uint8Array() };
    case Target.LEASE:
      return { case: "lease", value: given.case === "lease" ? given.value : 0n };
    default:
      return { case: "version", value: given.case === "version" ? given.value : 0n };
  }
}
