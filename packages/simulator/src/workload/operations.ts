/** What clients ask for, as commands, in a few words. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Compare,
  CompareSchema,
  DeleteCommandSchema,
  type RangeOperation,
  RangeOperationSchema,
  SetCommandSchema,
  type TxnCommand,
  TxnCommandSchema,
  type TxnOperation,
  TxnOperationSchema,
} from "@dkv/protocol/dkv/peer/v1/command";

type Fields<Schema extends Parameters<typeof create>[0]> = Omit<
  Extract<MessageInitShape<Schema>, { $typeName?: unknown }>,
  "key" | "$typeName" | "$unknown"
>;

export const keyOf = (key: string): Uint8Array => Buffer.from(key, "latin1");

/** @returns a part of a transaction, and an operation of its own just as well */
export function setOf(key: string, value: string, more: Fields<typeof SetCommandSchema> = {}) {
  const command = create(SetCommandSchema, { key: keyOf(key), value: keyOf(value), ...more });
  return { case: "set", value: command } as const;
}

/** @param end the first key that is not meant; empty for the one key */
export function deleteOf(key: string, end = "", wantPrevious = false) {
  const command = create(DeleteCommandSchema, { key: keyOf(key), rangeEnd: keyOf(end), wantPrevious });
  return { case: "delete", value: command } as const;
}

export function rangeOf(
  key: string,
  end: string,
  more: Fields<typeof RangeOperationSchema> = {},
): RangeOperation {
  return create(RangeOperationSchema, { key: keyOf(key), rangeEnd: keyOf(end), ...more });
}

export function compareOf(key: string, more: Fields<typeof CompareSchema>): Compare {
  return create(CompareSchema, { key: keyOf(key), ...more });
}

export function txnOf(
  compares: readonly Compare[],
  success: readonly TxnOperation["operation"][],
  failure: readonly TxnOperation["operation"][] = [],
): { readonly case: "txn"; readonly value: TxnCommand } {
  const steps = (list: readonly TxnOperation["operation"][]): TxnOperation[] =>
    list.map((operation) => create(TxnOperationSchema, { operation }));
  const command = create(TxnCommandSchema, {
    compares: [...compares],
    success: steps(success),
    failure: steps(failure),
  });
  return { case: "txn", value: command };
}
