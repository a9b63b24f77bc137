/** What goes through a pipe, from and to messages of dkv.v1. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PipeRequestSchema, PipeResponse } from "@dkv/protocol/dkv/v1/dkv";

import { DkvClientError } from "../errors.ts";
import type { DeleteRequest, GetRequest, SetRequest } from "../keys.ts";
import type { Txn } from "../txn.ts";
import { translatePiped } from "./errors.ts";
import { readDelete, readFound, readSet, toDelete, toGet, toSet } from "./key-messages.ts";
import { readTxn, toTxn } from "./txn-messages.ts";

/** An operation with the number that its answer bears. */
export interface Piped {
  readonly id: number;
  readonly operation: PipedOperation;
}

export type PipedOperation =
  | { readonly kind: "get"; readonly request: GetRequest }
  | { readonly kind: "set"; readonly request: SetRequest }
  | { readonly kind: "delete"; readonly request: DeleteRequest }
  | { readonly kind: "txn"; readonly request: Txn };

/** The answer to the operation of that number: what its unary method gives, or its error. */
export type PipedAnswer =
  | { readonly id: number; readonly kind: PipedOperation["kind"]; readonly result: unknown }
  | { readonly id: number; readonly error: DkvClientError };

export function toPiped({ id, operation }: Piped): MessageInitShape<typeof PipeRequestSchema> {
  return { id: BigInt(id), operation: toOperation(operation) };
}

type Operation = NonNullable<MessageInitShape<typeof PipeRequestSchema>["operation"]>;

function toOperation({ kind, request }: PipedOperation): Operation {
  switch (kind) {
    case "get":
      return { case: kind, value: toGet(request) };
    case "set":
      return { case: kind, value: toSet(request) };
    case "delete":
      return { case: kind, value: toDelete(request) };
    case "txn":
      return { case: kind, value: toTxn(request) };
  }
}

export function readPiped({ id: wireId, result }: PipeResponse): PipedAnswer {
  const id = Number(wireId);
  try {
    switch (result.case) {
      case "get":
        return { id, kind: "get", result: readFound(result.value) };
      case "set":
        return { id, kind: "set", result: readSet(result.value) };
      case "delete":
        return { id, kind: "delete", result: readDelete(result.value) };
      case "txn":
        return { id, kind: "txn", result: readTxn(result.value) };
      case "error":
        return { id, error: translatePiped(result.value) };
      case undefined:
        return { id, error: unreadable() };
    }
  } catch (error) {
    if (error instanceof DkvClientError) return { id, error };
    throw error;
  }
}

function unreadable(): DkvClientError {
  return new DkvClientError(
    { code: "unknown", retry: "outcomeUnknown" },
    "a member sent an answer that this client has no name for",
  );
}
