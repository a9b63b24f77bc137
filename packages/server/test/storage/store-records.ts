/** Records as the store itself makes them, whatever their format is. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TxnCommandSchema, type TxnOperationSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { type EntryPlace, type RecordChange, type StateScanner, Store } from "@dkv/store";

/** Keys with the values that they are to have; undefined: deleted. */
export type Values = Readonly<Record<string, string | undefined>>;

/**
 * What makes these values durable. One transaction at `entry` sets them all; what stands before it in the log
 * and was not applied there holds no commands.
 */
export function storeRecords(
  state: StateScanner,
  { index, term }: EntryPlace,
  values: Values,
): readonly RecordChange[] {
  const store = new Store(state, { cacheBytes: 0 });
  while (store.appliedIndex < index - 1) store.skip({ index: store.appliedIndex + 1, term });
  const success = Object.entries(values).map(([name, value]): MessageInitShape<typeof TxnOperationSchema> => {
    const key = Buffer.from(name);
    return value === undefined
      ? { operation: { case: "delete", value: { key } } }
      : { operation: { case: "set", value: { key, value: Buffer.from(value) } } };
  });
  const operation = { case: "txn", value: create(TxnCommandSchema, { success }) } as const;
  const command = { id: { proposer: 1n, sequence: 1 }, operation };
  store.apply({ index, term }, command, { isWanted: false });
  return store.takeChanges();
}
