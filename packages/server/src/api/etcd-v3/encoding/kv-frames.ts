/**
 * The answers of KV as gRPC frames, written straight into one buffer. The bytes are the very ones that
 * protobuf-es writes; a property test compares them.
 */
import type { DeleteResult, KeyValue, OperationResult, Revision, SetResult, TxnResult } from "@dkv/store";
import type { MemberStatus } from "../../../consensus/member.ts";
import { BackwardWriter } from "../../dkv-v1/encoding/backward-writer.ts";
import { type AnswerHeader, HeaderBytes, writeRevision } from "./header.ts";
import { keyValueBytes, writeKeyValue, writeKeyValues } from "./key-value.ts";

/** Enough for an answer without keys. */
const usualBytes = 128;

/** What a range has found. */
export interface RangeContent {
  readonly found: readonly KeyValue[];
  readonly hasMore: boolean;
  readonly count: number;
}

export class KvFrames {
  readonly #headers = new HeaderBytes();

  range(header: AnswerHeader, content: RangeContent): Buffer {
    const writer = new BackwardWriter(usualBytes + keyValueBytes(content.found));
    writeContent(writer, content);
    this.#headers.write(writer, 1, header);
    return writer.finishFrame();
  }

  /** A part of a range, in a message of its own. @param header with the last part */
  part(content: RangeContent, header: AnswerHeader | undefined): Buffer {
    const writer = new BackwardWriter(usualBytes + keyValueBytes(content.found));
    writeContent(writer, content);
    if (header !== undefined) this.#headers.write(writer, 1, header);
    writer.message(1, 0);
    return writer.finishFrame();
  }

  put(status: MemberStatus, { revision, previous }: SetResult): Buffer {
    const writer = new BackwardWriter(usualBytes);
    if (previous !== undefined) writeKeyValue(writer, 2, previous);
    this.#headers.write(writer, 1, { status, revision });
    return writer.finishFrame();
  }

  delete(status: MemberStatus, { revision, deleted, previous }: DeleteResult): Buffer {
    const writer = new BackwardWriter(usualBytes + keyValueBytes(previous));
    writeKeyValues(writer, 3, previous);
    writer.count(2, deleted);
    this.#headers.write(writer, 1, { status, revision });
    return writer.finishFrame();
  }

  txn(status: MemberStatus, result: TxnResult): Buffer {
    const writer = new BackwardWriter(usualBytes);
    writeOutcome(writer, result);
    this.#headers.write(writer, 1, { status, revision: result.revision });
    return writer.finishFrame();
  }

  /** An answer that has a header and nothing else. */
  bare(header: AnswerHeader): Buffer {
    const writer = new BackwardWriter(usualBytes);
    this.#headers.write(writer, 1, header);
    return writer.finishFrame();
  }
}

function writeContent(writer: BackwardWriter, { found, hasMore, count }: RangeContent): void {
  writer.count(4, count);
  writer.bool(3, hasMore);
  writeKeyValues(writer, 2, found);
}

function writeOutcome(writer: BackwardWriter, { succeeded, results }: TxnResult): void {
  for (let at = results.length - 1; at >= 0; at -= 1) {
    const result = results[at];
    if (result === undefined) continue;
    const { length } = writer;
    writeResult(writer, result);
    writer.message(3, length);
  }
  writer.bool(2, succeeded);
}

function writeResult(writer: BackwardWriter, result: OperationResult): void {
  const { length } = writer;
  switch (result.kind) {
    case "range":
      writeContent(writer, result);
      writeRevision(writer, 1, result.revision);
      writer.message(1, length);
      return;
    case "set":
      if (result.previous !== undefined) writeKeyValue(writer, 2, result.previous);
      writeRevision(writer, 1, result.revision);
      writer.message(2, length);
      return;
    case "delete":
      writeKeyValues(writer, 3, result.previous);
      writer.count(2, result.deleted);
      writeRevision(writer, 1, result.revision);
      writer.message(3, length);
      return;
    case "txn":
      writeOutcome(writer, result);
      writeRevision(writer, 1, noRevision);
      writer.message(4, length);
  }
}

/** A transaction within another does not tell one. */
const noRevision: Revision = 0;
