/** Executes the operations of one command. What refuses it throws a {@link Refusal}, before anything is kept. */
import { toByteString } from "../bytes.ts";
import type { DeleteCommand, TxnCommand, TxnOperation } from "../operation.ts";
import { intervalOf } from "../read/interval.ts";
import type { DeleteResult, OperationResult, TxnResult } from "../results.ts";
import { holds } from "./compare.ts";
import type { Reading } from "./reading.ts";
import { deleteFound, executeDelete, executeSet } from "./write.ts";

export function deleteKeys(reading: Reading, command: DeleteCommand): DeleteResult {
  const { key, rangeEnd } = command;
  const { scope } = reading;
  const wantPrevious = command.wantPrevious && reading.isWanted;
  if (rangeEnd.length === 0) return executeDelete(scope, { wantPrevious }, [toByteString(key)]);
  const found = reading.currentKeys(intervalOf(key, rangeEnd));
  return deleteFound(scope, found, wantPrevious ? reading.answered(found) : []);
}

/** Comparisons, nested ones too, see the state before the transaction; operations see what those before them did. */
export function executeTxn(reading: Reading, command: TxnCommand): TxnResult {
  reading.bound(command.maxAnswerBytes);
  return run(reading, decide(reading, command));
}

/** What a transaction does, once its comparisons are known. */
interface Decision {
  readonly succeeded: boolean;
  readonly steps: readonly Step[];
}

type Step =
  | Exclude<TxnOperation["operation"], { case: "txn" }>
  | { readonly case: "decided"; readonly value: Decision };

function decide(reading: Reading, { compares, success, failure }: TxnCommand): Decision {
  const succeeded = compares.every((compare) => holds(reading, compare));
  const steps = (succeeded ? success : failure).map(
    ({ operation }): Step =>
      operation.case === "txn" ? { case: "decided", value: decide(reading, operation.value) } : operation,
  );
  return { succeeded, steps };
}

function run(reading: Reading, { succeeded, steps }: Decision): TxnResult {
  const results = steps.map((step) => runStep(reading, step));
  const { scope } = reading;
  return {
    kind: "txn",
    revision: scope.changes > 0 ? scope.revision : scope.revision - 1,
    succeeded,
    results,
  };
}

function runStep(reading: Reading, step: Step): OperationResult {
  switch (step.case) {
    case "range":
      return reading.range(step.value);
    case "set":
      return executeSet(reading.scope, step.value, true);
    case "delete":
      return deleteKeys(reading, step.value);
    case "decided":
      return run(reading, step.value);
    case undefined:
      // Doors refuse it. In the log it is nothing, on every member.
      return { kind: "txn", revision: reading.scope.revision - 1, succeeded: true, results: [] };
  }
}
