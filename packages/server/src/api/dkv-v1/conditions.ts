/** The conditions of a Set or Delete: a transaction of one operation. */
import { create } from "@bufbuild/protobuf";
import {
  type Compare,
  CompareSchema,
  type TxnCommand,
  TxnCommandSchema,
} from "@dkv/protocol/dkv/peer/v1/command";
import type { KeyValue, Operation } from "@dkv/store";
import { DkvError } from "../../platform/errors.ts";
import { compared } from "./numbers.ts";

/** Undefined, or false: no such condition. */
export interface Conditions {
  readonly ifVersion?: bigint | undefined;
  readonly ifModRevision?: bigint | undefined;
  readonly ifAbsent?: boolean;
}

export function hasConditions({ ifVersion, ifModRevision, ifAbsent = false }: Conditions): boolean {
  return ifVersion !== undefined || ifModRevision !== undefined || ifAbsent;
}

/** Does the operation if all conditions hold for the key, and nothing otherwise. */
export function conditional(
  key: Uint8Array,
  { ifVersion, ifModRevision, ifAbsent = false }: Conditions,
  operation: Extract<Operation, { case: "set" | "delete" }>,
): TxnCommand {
  const compares: Compare[] = [];
  const mustEqual = (target: Compare["target"]): void => {
    compares.push(create(CompareSchema, { key, target }));
  };
  if (ifVersion !== undefined) mustEqual({ case: "version", value: compared(ifVersion) });
  if (ifModRevision !== undefined) mustEqual({ case: "modRevision", value: compared(ifModRevision) });
  if (ifAbsent) mustEqual({ case: "version", value: 0n });
  return create(TxnCommandSchema, { compares, success: [{ operation }] });
}

/** @param now what the key is, read after the condition did not hold */
export function preconditionFailed(now: KeyValue | undefined): DkvError {
  const state =
    now === undefined
      ? "the key is missing"
      : `the key has version ${String(now.version)} and mod_revision ${String(now.modRevision)}`;
  return new DkvError(
    "preconditionFailed",
    `a condition does not hold, so nothing was written: ${state} now`,
  );
}
