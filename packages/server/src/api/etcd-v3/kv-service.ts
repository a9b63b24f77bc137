/** Keys, as clients of etcd ask for them. Answers are gRPC frames. */
import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CompactCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "@dkv/protocol/etcdserverpb/rpc";
import type { KeyValue } from "@dkv/store";
import type { Member } from "../../consensus/member.ts";
import { caughtUp } from "../caught-up.ts";
import { checkDelete, checkPut, checkRange, checkTxn } from "./checks.ts";
import { deleteCommand, rangeOperation, setCommand, txnCommand } from "./commands.ts";
import { KvFrames } from "./encoding/kv-frames.ts";
import { etcdError } from "./errors.ts";
import type { CallInfo } from "./method.ts";

export interface KvLimits {
  /** Of a request that is to be written to the log. */
  readonly maxRequestBytes: number;
  /** In one list of a transaction. */
  readonly maxTxnOps: number;
}

/** Every method rejects with a DkvError, or with an error of etcd. */
export class KvService {
  readonly #member: Member;
  readonly #limits: KvLimits;
  readonly #frames = new KvFrames();

  constructor(member: Member, limits: KvLimits) {
    this.#member = member;
    this.#limits = limits;
  }

  async range(request: RangeRequest, { timeoutMs }: CallInfo): Promise<Buffer> {
    checkRange(request);
    await caughtUp(this.#member, request, timeoutMs);
    if (isOneCurrentKey(request)) return this.#one(request);
    const result = await this.#member.range(rangeOperation(request));
    return this.#frames.range({ status: this.#member.status(), revision: result.revision }, result);
  }

  async put(request: PutRequest, { bytes, timeoutMs }: CallInfo): Promise<Buffer> {
    checkPut(request);
    this.#checkSize(bytes);
    const result = await this.#member.propose({ case: "set", value: setCommand(request) }, timeoutMs);
    assert(result.kind === "set", "a set answers a set");
    return this.#frames.put(this.#member.status(), result);
  }

  async delete(request: DeleteRangeRequest, { bytes, timeoutMs }: CallInfo): Promise<Buffer> {
    checkDelete(request);
    this.#checkSize(bytes);
    const result = await this.#member.propose({ case: "delete", value: deleteCommand(request) }, timeoutMs);
    assert(result.kind === "delete", "a delete answers a delete");
    return this.#frames.delete(this.#member.status(), result);
  }

  /** What only reads, and what only compares, goes through the log too: all of it sees one moment, the latest. */
  async txn(request: TxnRequest, { bytes, timeoutMs }: CallInfo): Promise<Buffer> {
    checkTxn(request, this.#limits.maxTxnOps);
    this.#checkSize(bytes);
    const result = await this.#member.propose({ case: "txn", value: txnCommand(request) }, timeoutMs);
    assert(result.kind === "txn", "a transaction answers a transaction");
    return this.#frames.txn(this.#member.status(), result);
  }

  async compact({ revision, physical }: CompactionRequest, { timeoutMs }: CallInfo): Promise<Buffer> {
    const command = create(CompactCommandSchema, { revision });
    const result = await this.#member.propose({ case: "compact", value: command }, timeoutMs);
    assert(result.kind === "compaction", "a compaction answers a compaction");
    if (physical) await this.#member.historyRemoved(timeoutMs);
    return this.#frames.bare({ status: this.#member.status(), revision: result.revision });
  }

  /** The way of nearly all reads, which needs no other thread. */
  #one({ key, keysOnly, countOnly }: RangeRequest): Buffer {
    const kept = this.#member.get(key);
    const status = this.#member.status();
    const count = kept === undefined ? 0 : 1;
    const found = kept === undefined || countOnly ? [] : [keysOnly ? withoutValue(kept) : kept];
    return this.#frames.range({ status, revision: status.revision }, { found, hasMore: false, count });
  }

  #checkSize(bytes: number): void {
    if (bytes > this.#limits.maxRequestBytes) throw etcdError("requestTooLarge");
  }
}

function isOneCurrentKey(request: RangeRequest): boolean {
  return (
    request.rangeEnd.length === 0 &&
    request.revision <= 0n &&
    request.minModRevision === 0n &&
    request.maxModRevision === 0n &&
    request.minCreateRevision === 0n &&
    request.maxCreateRevision === 0n
  );
}

const withoutValue = (found: KeyValue): KeyValue => ({ ...found, value: nothing });
const nothing = new Uint8Array();
