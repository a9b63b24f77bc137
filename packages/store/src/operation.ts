import type {
  AuthCommand,
  Command,
  Compare,
  DeleteCommand,
  RangeOperation,
  SetCommand,
  TxnCommand,
  TxnOperation,
} from "@dkv/protocol/dkv/peer/v1/command";

/** What a log entry asks the store to do: the oneof of a Command, always set. */
export type LoggedOperation = Exclude<Command["operation"], { case: undefined }>;

/** What a caller may ask the store to do. Members alone ask for the rest. */
export type Operation = Extract<
  LoggedOperation,
  { case: "set" | "setIf" | "delete" | "txn" | "grantLease" | "revokeLease" | "compact" | "auth" }
>;

export type { AuthCommand, Compare, DeleteCommand, RangeOperation, SetCommand, TxnCommand, TxnOperation };
