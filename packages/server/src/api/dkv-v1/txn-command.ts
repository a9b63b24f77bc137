/** Makes the store's transaction of one of dkv.v1. */
import { create } from "@bufbuild/protobuf";
import {
  CompareRelation as StoreRelation,
  CompareSchema as StoreCompareSchema,
  RangeOperationSchema,
  type TxnCommand,
  TxnCommandSchema,
  type TxnOperation as StoreOperation,
  TxnOperationSchema,
} from "@dkv/protocol/dkv/peer/v1/command";
import {
  type Compare,
  CompareRelation,
  type TxnGet,
  type TxnOperation,
  type TxnRequest,
} from "@dkv/protocol/dkv/v1/dkv";
import type { LeaseKeeper } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { plainDelete, setCommand } from "./commands.ts";
import { keyBytes, keyRange } from "./key-bytes.ts";
import { compared } from "./numbers.ts";

export type LeaseMaker = Pick<LeaseKeeper, "newId" | "leastTtl">;

/** Throws a DkvError if something in it is none of what it should be. */
export function txnCommand({ compares, success, failure }: TxnRequest, leases: LeaseMaker): TxnCommand {
  return create(TxnCommandSchema, {
    compares: compares.map(storeCompare),
    success: success.map((operation) => storeOperation(operation, leases)),
    failure: failure.map((operation) => storeOperation(operation, leases)),
  });
}

function storeCompare({ keys, relation, target }: Compare): TxnCommand["compares"][number] {
  return create(StoreCompareSchema, {
    ...keyRange(keys),
    relation: storeRelation(relation),
    target: storeTarget(target),
  });
}

function storeRelation(relation: CompareRelation): StoreRelation {
  const known = relations[relation];
  if (known === undefined)
    throw new DkvError("invalidRequest", "a comparison has a relation that is not known here");
  return known;
}

/** A number that this version has no name for may come too. */
const relations: Readonly<Record<number, StoreRelation>> = {
  [CompareRelation.UNSPECIFIED]: StoreRelation.UNSPECIFIED,
  [CompareRelation.GREATER]: StoreRelation.GREATER,
  [CompareRelation.LESS]: StoreRelation.LESS,
  [CompareRelation.NOT_EQUAL]: StoreRelation.NOT_EQUAL,
};

function storeTarget(target: Compare["target"]): TxnCommand["compares"][number]["target"] {
  switch (target.case) {
    case "version":
    case "createRevision":
    case "modRevision":
      return { case: target.case, value: compared(target.value) };
    case "value":
    case "lease":
      return target;
    case undefined:
      throw new DkvError(
        "invalidRequest",
        "a comparison says nothing of what is compared: set one of its targets",
      );
  }
}

function storeOperation({ operation }: TxnOperation, leases: LeaseMaker): StoreOperation {
  return create(TxnOperationSchema, { operation: converted(operation, leases) });
}

function converted(operation: TxnOperation["operation"], leases: LeaseMaker): StoreOperation["operation"] {
  switch (operation.case) {
    case "get":
      return { case: "range", value: rangeOperation(operation.value) };
    case "set": {
      const { key, value, ...terms } = operation.value;
      return { case: "set", value: setCommand({ key: keyBytes(key), value }, terms, leases) };
    }
    case "delete": {
      const { keys, returnPrevious } = operation.value;
      const { key, rangeEnd } = keyRange(keys);
      return { case: "delete", value: { ...plainDelete(key), rangeEnd, wantPrevious: returnPrevious } };
    }
    case "txn":
      return { case: "txn", value: txnCommand(operation.value, leases) };
    case undefined:
      throw new DkvError(
        "invalidRequest",
        "an operation of the transaction does nothing: set one of its kinds",
      );
  }
}

function rangeOperation({ keys, limit, keysOnly }: TxnGet) {
  return create(RangeOperationSchema, { ...keyRange(keys), limit: BigInt(limit), keysOnly });
}
