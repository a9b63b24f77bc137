/** Commands as the tests write them. Keys and values are texts of one character a byte. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  AuthCommandSchema,
  AlarmCommandSchema,
  AlarmKind,
  CheckCommandSchema,
  CheckpointLeasesCommandSchema,
  CompactCommandSchema,
  type Compare,
  type CompareRelation,
  CompareSchema,
  DeleteCommandSchema,
  ExpireLeasesCommandSchema,
  GrantLeaseCommandSchema,
  RangeOperationSchema,
  RemoveHistoryCommandSchema,
  RevokeLeaseCommandSchema,
  SetCommandSchema,
  SetIfCommandSchema,
  TxnCommandSchema,
  type TxnOperation,
  TxnOperationSchema,
} from "@dkv/protocol/dkv/peer/v1/command";
import type { Origin } from "../src/auth/auth-state.ts";
import { type ByteString, fromByteString } from "../src/bytes.ts";
import type { DecodedCommand } from "../src/command.ts";
import type { LoggedOperation, Operation, RangeOperation } from "../src/operation.ts";

type Of<Case extends LoggedOperation["case"]> = Extract<LoggedOperation, { case: Case }>;

/** What a set may ask for beside the key and its value. */
export type SetFlags = Omit<MessageInitShape<typeof SetCommandSchema>, "key" | "value" | "$typeName">;

/** What a range may ask for beside the interval. */
export type RangeFlags = Omit<
  MessageInitShape<typeof RangeOperationSchema>,
  "key" | "rangeEnd" | "$typeName"
>;

export const set = (key: ByteString, value: ByteString, flags: SetFlags = {}): Of<"set"> => ({
  case: "set",
  value: create(SetCommandSchema, { key: fromByteString(key), value: fromByteString(value), ...flags }),
});

/** What a set on a condition may ask for beside the key, its value and the condition. */
export type SetIfFlags = Partial<Pick<SetFlags, "lease" | "grantTtl">>;

/** @param modRevision the one at which the key has to have been changed last */
export const setIf = (
  [key, value]: readonly [ByteString, ByteString],
  modRevision: bigint,
  flags: SetIfFlags = {},
): Of<"setIf"> => ({
  case: "setIf",
  value: create(SetIfCommandSchema, {
    key: fromByteString(key),
    value: fromByteString(value),
    modRevision,
    ...flags,
  }),
});

export const del = (key: ByteString, rangeEnd: ByteString = "", wantPrevious = false): Of<"delete"> => ({
  case: "delete",
  value: create(DeleteCommandSchema, {
    key: fromByteString(key),
    rangeEnd: fromByteString(rangeEnd),
    wantPrevious,
  }),
});

export const range = (key: ByteString, rangeEnd: ByteString = "", flags: RangeFlags = {}): RangeOperation =>
  create(RangeOperationSchema, {
    key: fromByteString(key),
    rangeEnd: fromByteString(rangeEnd),
    ...flags,
  });

export type Target =
  | { readonly case: "version" | "createRevision" | "modRevision" | "lease"; readonly value: bigint }
  | { readonly case: "value"; readonly value: ByteString };

export const compare = (
  key: ByteString,
  relation: CompareRelation,
  target: Target | undefined,
  rangeEnd: ByteString = "",
): Compare =>
  create(CompareSchema, {
    key: fromByteString(key),
    rangeEnd: fromByteString(rangeEnd),
    relation,
    target:
      target === undefined
        ? { case: undefined }
        : target.case === "value"
          ? { case: "value", value: fromByteString(target.value) }
          : target,
  });

/** An operation inside of a transaction; undefined for one that no version knows. */
export function within(operation: Operation | RangeOperation | undefined): TxnOperation {
  if (operation === undefined) return create(TxnOperationSchema);
  if (!("case" in operation))
    return create(TxnOperationSchema, { operation: { case: "range", value: operation } });
  if (operation.case === "set" || operation.case === "delete" || operation.case === "txn")
    return create(TxnOperationSchema, { operation });
  throw new Error("no transaction does that");
}

export interface Branches {
  readonly compares?: readonly Compare[];
  readonly success?: readonly (Operation | RangeOperation | undefined)[];
  readonly failure?: readonly (Operation | RangeOperation | undefined)[];
  readonly maxAnswerBytes?: bigint;
}

export const txn = ({ compares = [], success = [], failure = [], ...rest }: Branches): Of<"txn"> => ({
  case: "txn",
  value: create(TxnCommandSchema, {
    compares: [...compares],
    success: success.map(within),
    failure: failure.map(within),
    ...rest,
  }),
});

export const grant = (id: bigint, ttl: bigint): Of<"grantLease"> => ({
  case: "grantLease",
  value: create(GrantLeaseCommandSchema, { id, ttl }),
});

export const revoke = (id: bigint): Of<"revokeLease"> => ({
  case: "revokeLease",
  value: create(RevokeLeaseCommandSchema, { id }),
});

/** @param applied by the leader when it decided so; all there is, unless given */
export const expire = (
  ids: readonly bigint[],
  term: number,
  applied = Number.MAX_SAFE_INTEGER,
): Of<"expireLeases"> => ({
  case: "expireLeases",
  value: create(ExpireLeasesCommandSchema, { ids: [...ids], term: BigInt(term), applied: BigInt(applied) }),
});

/** @param applied as in {@link expire} */
export const checkpoint = (
  id: bigint,
  remainingTtl: bigint,
  applied = Number.MAX_SAFE_INTEGER,
): Of<"checkpointLeases"> => ({
  case: "checkpointLeases",
  value: create(CheckpointLeasesCommandSchema, {
    checkpoints: [{ id, remainingTtl }],
    applied: BigInt(applied),
  }),
});

export const compact = (revision: number): Of<"compact"> => ({
  case: "compact",
  value: create(CompactCommandSchema, { revision: BigInt(revision) }),
});

export const removeHistory: Of<"removeHistory"> = {
  case: "removeHistory",
  value: create(RemoveHistoryCommandSchema),
};

export const check: Of<"check"> = { case: "check", value: create(CheckCommandSchema) };

/** About a member of cluster 1. */
export const alarm = (memberId: bigint, lift = false): Of<"alarm"> => ({
  case: "alarm",
  value: create(AlarmCommandSchema, { clusterId: 1n, memberId, kind: AlarmKind.CORRUPT, lift }),
});

export type AuthChange = NonNullable<MessageInitShape<typeof AuthCommandSchema>["change"]>;

export const auth = (change: AuthChange): Of<"auth"> => ({
  case: "auth",
  value: create(AuthCommandSchema, { change }),
});

/** By some process. */
export const command = (operation: LoggedOperation, origin?: Origin): DecodedCommand => ({
  id: { proposer: 7n, sequence: 1 },
  operation,
  origin,
});
