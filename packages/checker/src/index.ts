export { Recorder } from "./history.ts";
export type { History, Operation, Outcome, Pending } from "./history.ts";
export { checkLinearizable } from "./linearizable.ts";
export type { SearchLimits, Verdict, Violation } from "./linearizable.ts";
export { checkTransactions, renderTransactionVerdict } from "./list-append/check.ts";
export type { CycleName, TransactionVerdict } from "./list-append/check.ts";
export type { Dependency } from "./list-append/dependencies.ts";
export type { Contradiction } from "./list-append/lists.ts";
export type { ListAction, ListResult, Transaction, TransactionHistory } from "./list-append/transaction.ts";
export { lostElements, lostWrites } from "./durability.ts";
export type { FinalState, LostElement, LostWrite } from "./durability.ts";
export type { Model } from "./model.ts";
export { checkRegisters, registerModel } from "./register.ts";
export type {
  Register,
  RegisterAction,
  RegisterHistory,
  RegisterOperation,
  RegisterResult,
} from "./register.ts";
export { renderOperations, renderViolation } from "./render.ts";
