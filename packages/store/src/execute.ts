/** Executes what an entry asks for. What refuses it throws a {@link Refusal}, before anything is changed. */
import type { AlarmCommand, ExpireLeasesCommand } from "@dkv/protocol/dkv/peer/v1/command";
import { withAlarm } from "./alarms.ts";
import { assert } from "./assert.ts";
import { changeAuth } from "./auth/change-auth.ts";
import { compactTo, removePiece } from "./history/compaction.ts";
import { checkpoint, end, findLease, findMeant, grant } from "./lease/leases.ts";
import { mergeAttached } from "./lease/scan-leases.ts";
import type { LoggedOperation } from "./operation.ts";
import { Refusal } from "./refusal.ts";
import type { ApplyResult } from "./results.ts";
import type { EntryPlace, State } from "./state.ts";
import { deleteKeys, executeTxn } from "./txn/execute.ts";
import type { Prepared } from "./txn/prepare.ts";
import { Reading } from "./txn/reading.ts";
import { DirectScope, type Scope, TransactionScope } from "./txn/scope.ts";
import { executeDelete, executeSet, executeSetIf } from "./txn/write.ts";
import type { LeaseId } from "./version.ts";

/** How a command is applied here, and not elsewhere perhaps. Makes no difference to the state. */
export interface ApplyContext {
  /** What `Store.prepare` has read; undefined if it had nothing to read. */
  readonly prepared?: Prepared | undefined;
  /** Whether somebody waits for what the command reads; otherwise its ranges are empty. */
  readonly isWanted: boolean;
}

interface Execution extends ApplyContext {
  readonly state: State;
  readonly entry: EntryPlace;
}

export function execute(operation: LoggedOperation, execution: Execution): ApplyResult {
  const { state, entry } = execution;
  switch (operation.case) {
    case "set":
      return direct(state, (scope) => executeSet(scope, operation.value, false));
    case "setIf":
      return direct(state, (scope) => executeSetIf(scope, operation.value));
    case "delete":
      return direct(state, (scope) => deleteKeys(readingOf(scope, execution), operation.value));
    case "txn":
      return transaction(state, (scope) => executeTxn(readingOf(scope, execution), operation.value));
    case "grantLease":
      grant(state, { id: operation.value.id, grantedTtl: operation.value.ttl, grantedIndex: entry.index });
      return { kind: "lease", revision: state.revision };
    case "revokeLease":
      return revoke(operation.value.id, execution);
    case "expireLeases":
      return expire(operation.value, execution);
    case "checkpointLeases":
      checkpoint(state, operation.value);
      return { kind: "lease", revision: state.revision };
    case "compact":
      state.setCompaction(compactTo(state.compaction, operation.value.revision, state.revision));
      return { kind: "compaction", revision: state.revision };
    case "removeHistory":
      return removeHistory(execution);
    case "check":
      return { kind: "check", index: entry.index, revision: state.revision };
    case "alarm":
      return alarm(state, operation.value);
    case "auth":
      state.setAuth(changeAuth(state.auth, operation.value));
      return { kind: "auth", revision: state.revision };
  }
}

/** For operations that refuse before they change anything. */
function direct<Result>(state: State, work: (scope: Scope) => Result): Result {
  const scope = new DirectScope(state, state.revision + 1);
  const result = work(scope);
  if (scope.changes > 0) state.reached(scope.revision);
  return result;
}

function transaction<Result>(state: State, work: (scope: Scope) => Result): Result {
  const scope = new TransactionScope(state, state.revision + 1);
  const result = work(scope);
  scope.commit();
  if (scope.changes > 0) state.reached(scope.revision);
  return result;
}

function readingOf(scope: Scope, { state, prepared, isWanted }: Execution): Reading {
  const { scanner: reader, revision, compaction } = state;
  return new Reading({ scope, reader, prepared, revision, compactRevision: compaction.revision, isWanted });
}

function revoke(id: LeaseId, { state, prepared }: Execution): ApplyResult {
  if (findLease(state, id) === undefined) throw new Refusal("leaseNotFound");
  direct(state, (scope) => {
    endLease(scope, id, prepared);
  });
  return { kind: "lease", revision: state.revision };
}

/** A later leader than the one that measured has begun to count anew. */
function expire(command: ExpireLeasesCommand, { state, entry, prepared }: Execution): ApplyResult {
  const { ids, term, applied } = command;
  const expired: LeaseId[] = [];
  for (const id of term === BigInt(entry.term) ? ids : []) {
    if (findMeant(state, id, applied) === undefined) continue;
    direct(state, (scope) => {
      endLease(scope, id, prepared);
    });
    expired.push(id);
  }
  return { kind: "expiry", revision: state.revision, expired };
}

/** Its keys go in the order of their bytes, in one revision. */
function endLease(scope: Scope, id: LeaseId, prepared: Prepared | undefined): void {
  assert(prepared !== undefined, "the keys of a lease are prepared before it ends");
  executeDelete(scope, { wantPrevious: false }, mergeAttached(prepared.attached(id), scope.layers, id));
  end(scope, id);
}

function removeHistory({ state, prepared }: Execution): ApplyResult {
  if (!state.compaction.isRemoved) {
    assert(prepared !== undefined, "history is read before it is removed");
    state.setCompaction(removePiece(state.overlay, state.compaction, prepared.history));
  }
  return { kind: "compaction", revision: state.revision };
}

function alarm(state: State, command: AlarmCommand): ApplyResult {
  state.setAlarms(withAlarm(state.alarms, command));
  return { kind: "alarm", revision: state.revision };
}
