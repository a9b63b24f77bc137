/** Transactions of dkv.v1, once, for every protocol that carries them. */
import assert from "node:assert/strict";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TxnCommand } from "@dkv/protocol/dkv/peer/v1/command";
import type { TxnRequest, TxnResponseSchema, TxnResultSchema } from "@dkv/protocol/dkv/v1/dkv";
import { checkTxn, type OperationResult, type TxnFault, type TxnResult } from "@dkv/store";
import type { Member } from "../../consensus/member.ts";
import { DkvError, type ErrorCode } from "../../platform/errors.ts";
import { requestTooLarge } from "../request-limit.ts";
import {
  type AnswerHeader,
  headerOf,
  keyValue,
  responseHeader,
  type Timeout,
  withPrevious,
} from "./answers.ts";
import { txnCommand } from "./txn-command.ts";

export interface TxnAnswer {
  readonly header: AnswerHeader;
  readonly result: TxnResult;
}

/** Messages nest 100 deep, in the log too: two for each transaction, and some for what is around and in the innermost. */
const limits = { most: 128, depth: 48 } as const;

/**
 * Of keys and values that an answer has, beside one of each operation: with their histories well below the 4
 * MiB that clients of gRPC take, in JSON too.
 */
const maxAnswerBytes = 2n * 1024n * 1024n;

const faults: Readonly<Record<TxnFault, readonly [ErrorCode, string]>> = {
  tooManyCompares: [
    "invalidRequest",
    `a transaction has at most ${String(limits.most)} comparisons, nested ones too`,
  ],
  tooManyOperations: [
    "invalidRequest",
    `a list of a transaction has at most ${String(limits.most)} operations, nested ones too`,
  ],
  tooDeep: ["invalidRequest", `at most ${String(limits.depth)} transactions are nested within each other`],
  emptyKey: ["emptyKey", "key is empty: a key has at least one byte"],
  duplicateKey: ["duplicateKey", "a key is set twice, or set and deleted, in one list of the transaction"],
  unknownOperation: ["invalidRequest", "an operation of the transaction does nothing"],
};

export class TxnService {
  readonly #member: Member;
  readonly #maxRequestBytes: number;

  /** @param maxRequestBytes most bytes of all keys and values together */
  constructor(member: Member, maxRequestBytes: number) {
    this.#member = member;
    this.#maxRequestBytes = maxRequestBytes;
  }

  /**
   * Rejects with a DkvError. What only reads goes through the log too: nothing else has the whole of it see
   * one moment.
   */
  async txn(request: TxnRequest, timeoutMs: Timeout): Promise<TxnAnswer> {
    const command = txnCommand(request, this.#member.leases);
    const fault = checkTxn(command, limits);
    if (fault !== undefined) throw new DkvError(...faults[fault]);
    if (bytesOf(command) > this.#maxRequestBytes) throw requestTooLarge(this.#maxRequestBytes);
    const result = await this.#member.propose(
      { case: "txn", value: { ...command, maxAnswerBytes } },
      timeoutMs,
    );
    assert(result.kind === "txn", "a transaction answers a transaction");
    return { header: headerOf(this.#member, result.revision), result };
  }
}

/** Of all keys and values. */
function bytesOf({ compares, success, failure }: TxnCommand): number {
  let bytes = 0;
  for (const { key, rangeEnd, target } of compares)
    bytes += key.length + rangeEnd.length + (target.case === "value" ? target.value.length : 0);
  for (const { operation } of [...success, ...failure]) {
    if (operation.case === "txn") bytes += bytesOf(operation.value);
    else if (operation.case === "set") bytes += operation.value.key.length + operation.value.value.length;
    else if (operation.case !== undefined)
      bytes += operation.value.key.length + operation.value.rangeEnd.length;
  }
  return bytes;
}

export function txnResponse({ header, result }: TxnAnswer): MessageInitShape<typeof TxnResponseSchema> {
  return { header: responseHeader(header), ...outcome(result) };
}

function outcome({ succeeded, results }: TxnResult): {
  readonly succeeded: boolean;
  readonly results: MessageInitShape<typeof TxnResultSchema>[];
} {
  return { succeeded, results: results.map(operationResult) };
}

function operationResult(result: OperationResult): MessageInitShape<typeof TxnResultSchema> {
  switch (result.kind) {
    case "range": {
      const { found, count, hasMore } = result;
      const value = { found: found.map(keyValue), count: BigInt(count), more: hasMore };
      return { result: { case: "get", value } };
    }
    case "set":
      return { result: { case: "set", value: withPrevious(result.previous) } };
    case "delete": {
      const { deleted, previous } = result;
      const value = { deleted: BigInt(deleted), previous: previous.map(keyValue) };
      return { result: { case: "delete", value } };
    }
    case "txn":
      return { result: { case: "txn", value: outcome(result) } };
  }
}
