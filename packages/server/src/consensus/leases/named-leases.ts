import type { LeaseId, LoggedOperation } from "@dkv/store";

type Txn = Extract<LoggedOperation, { case: "txn" }>["value"];

const none: readonly LeaseId[] = [];

/** Leases that an operation may have granted, ended or noted. */
export function leasesNamedIn(operation: LoggedOperation): readonly LeaseId[] {
  switch (operation.case) {
    case "set":
    case "setIf":
      return operation.value.grantTtl === 0n ? none : [operation.value.lease];
    case "txn":
      return namedInTxn(operation.value);
    case "grantLease":
    case "revokeLease":
      return [operation.value.id];
    case "expireLeases":
      return operation.value.ids;
    case "checkpointLeases":
      return operation.value.checkpoints.map(({ id }) => id);
    default:
      return none;
  }
}

function namedInTxn({ success, failure }: Txn): readonly LeaseId[] {
  return [...success, ...failure].flatMap(({ operation }) =>
    operation.case === "set" || operation.case === "txn" ? leasesNamedIn(operation) : none,
  );
}
