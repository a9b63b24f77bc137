/** Commands as these tests write them. Keys and values are texts of one character a byte. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  AlarmCommandSchema,
  AlarmKind,
  CompactCommandSchema,
  DeleteCommandSchema,
  ExpireLeasesCommandSchema,
  GrantLeaseCommandSchema,
  RemoveHistoryCommandSchema,
  SetCommandSchema,
  TxnCommandSchema,
  type TxnOperationSchema,
} from "@dkv/protocol/dkv/peer/v1/command";
import { fromByteString, type LoggedOperation } from "@dkv/store";

export const set = (key: string, value: string, lease = 0n): LoggedOperation => ({
  case: "set",
  value: create(SetCommandSchema, { key: fromByteString(key), value: fromByteString(value), lease }),
});

export const del = (key: string, rangeEnd = ""): LoggedOperation => ({
  case: "delete",
  value: create(DeleteCommandSchema, { key: fromByteString(key), rangeEnd: fromByteString(rangeEnd) }),
});

/** Sets keys, and deletes those without a value, all in one revision. */
export function txn(values: Readonly<Record<string, string | undefined>>): LoggedOperation {
  const success = Object.entries(values).map(([name, text]): MessageInitShape<typeof TxnOperationSchema> => {
    const key = fromByteString(name);
    if (text === undefined) return { operation: { case: "delete", value: { key } } };
    return { operation: { case: "set", value: { key, value: fromByteString(text) } } };
  });
  return { case: "txn", value: create(TxnCommandSchema, { success }) };
}

export const compact = (revision: number): LoggedOperation => ({
  case: "compact",
  value: create(CompactCommandSchema, { revision: BigInt(revision) }),
});

export const removeHistory: LoggedOperation = {
  case: "removeHistory",
  value: create(RemoveHistoryCommandSchema),
};

export const grant = (id: bigint): LoggedOperation => ({
  case: "grantLease",
  value: create(GrantLeaseCommandSchema, { id, ttl: 10n }),
});

/** In the first term. */
export const expire = (...ids: bigint[]): LoggedOperation => ({
  case: "expireLeases",
  value: create(ExpireLeasesCommandSchema, { ids, term: 1n, applied: 2n ** 32n }),
});

export const alarm = (): LoggedOperation => ({
  case: "alarm",
  value: create(AlarmCommandSchema, { clusterId: 1n, memberId: 1n, kind: AlarmKind.CORRUPT }),
});
