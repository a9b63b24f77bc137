/** Transactions, from and to messages of dkv.v1. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type CompareSchema,
  CompareRelation,
  type TxnOperationSchema,
  type TxnRequestSchema,
  type TxnResponse,
  type TxnResult as WireResult,
} from "@dkv/protocol/dkv/v1/dkv";

import { DkvClientError } from "../errors.ts";
import type { Compare, Txn, TxnOperation, TxnOperationResult, TxnResult } from "../txn.ts";
import { readKeyValue, readPrevious, toInterval } from "./key-messages.ts";
import { readCount, readHeader } from "./messages.ts";

const relations = {
  equal: CompareRelation.UNSPECIFIED,
  notEqual: CompareRelation.NOT_EQUAL,
  greater: CompareRelation.GREATER,
  less: CompareRelation.LESS,
} as const;

export function toTxn({
  compares = [],
  success = [],
  failure = [],
}: Txn): MessageInitShape<typeof TxnRequestSchema> {
  return {
    compares: compares.map(toCompare),
    success: success.map(toOperation),
    failure: failure.map(toOperation),
  };
}

function toCompare({ keys, relation, target }: Compare): MessageInitShape<typeof CompareSchema> {
  const common = { keys: toInterval(keys), relation: relations[relation] };
  switch (target.kind) {
    case "value":
      return { ...common, target: { case: "value", value: target.operand } };
    case "lease":
      return { ...common, target: { case: "lease", value: target.operand } };
    case "version":
    case "createRevision":
    case "modRevision":
      return { ...common, target: { case: target.kind, value: BigInt(target.operand) } };
  }
}

function toOperation(operation: TxnOperation): MessageInitShape<typeof TxnOperationSchema> {
  switch (operation.kind) {
    case "get": {
      const { keys, limit, keysOnly } = operation;
      return { operation: { case: "get", value: { keys: toInterval(keys), limit, keysOnly } } };
    }
    case "set": {
      const { key, value, ttlSeconds, lease, returnPrevious } = operation;
      const set = { key, value, ttlSeconds: BigInt(ttlSeconds), lease, returnPrevious };
      return { operation: { case: "set", value: set } };
    }
    case "delete": {
      const { keys, returnPrevious } = operation;
      return { operation: { case: "delete", value: { keys: toInterval(keys), returnPrevious } } };
    }
    case "txn":
      return { operation: { case: "txn", value: toTxn(operation.txn) } };
  }
}

/** @throws DkvClientError if a member sent what cannot be */
export function readTxn({ succeeded, results, header }: TxnResponse): TxnResult {
  return { succeeded, results: results.map(readResult), header: readHeader(header) };
}

function readResult({ result }: WireResult): TxnOperationResult {
  switch (result.case) {
    case "get": {
      const { found, count, more } = result.value;
      return { kind: "get", found: found.map(readKeyValue), count: readCount(count), hasMore: more };
    }
    case "set":
      return { kind: "set", previous: readPrevious(result.value.previous) };
    case "delete": {
      const { deleted, previous } = result.value;
      return { kind: "delete", deleted: readCount(deleted), previous: previous.map(readKeyValue) };
    }
    case "txn": {
      const { succeeded, results } = result.value;
      return { kind: "txn", succeeded, results: results.map(readResult) };
    }
    case undefined:
      throw new DkvClientError(
        { code: "unknown", retry: "outcomeUnknown" },
        "a member sent a result that this client has no name for",
      );
  }
}
