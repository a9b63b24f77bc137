/** The answers of Lease that are given often, as gRPC frames. The bytes are the very ones that protobuf-es writes. */
import type { LeaseId } from "@dkv/store";
import { BackwardWriter } from "../../dkv-v1/encoding/backward-writer.ts";
import { type AnswerHeader, HeaderBytes } from "./header.ts";

const usualBytes = 96;

/** A lease, and its seconds; 0 for one that is gone. */
export interface LeaseSeconds {
  readonly id: LeaseId;
  readonly ttl: bigint;
}

export class LeaseFrames {
  readonly #headers = new HeaderBytes();

  /** A lease was granted, or kept alive: both answers have the same fields. */
  frame(header: AnswerHeader, { id, ttl }: LeaseSeconds): Buffer {
    const writer = new BackwardWriter(usualBytes);
    writer.lease(3, ttl);
    writer.lease(2, id);
    this.#headers.write(writer, 1, header);
    return writer.finishFrame();
  }
}
