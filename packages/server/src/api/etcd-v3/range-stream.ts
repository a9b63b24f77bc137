/**
 * Ranges in parts, each read when the one before was taken: however many keys there are, a part is in memory.
 * All parts show one revision.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type RangeRequest,
  RangeRequest_SortOrder as SortOrder,
  RangeRequest_SortTarget as SortTarget,
  RangeRequestSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import type { RangeOperation, RangeResult } from "@dkv/store";
import type { Member } from "../../consensus/member.ts";
import { caughtUp } from "../caught-up.ts";
import { decode } from "../unary-method.ts";
import { checkRange } from "./checks.ts";
import { rangeOperation } from "./commands.ts";
import { KvFrames } from "./encoding/kv-frames.ts";

/** A client is to see something soon; then parts are of a size that is worth their making. */
const firstKeys = 10n;
const laterKeys = 1000n;
const partBytes = 512 * 1024;

export class RangeStreams {
  readonly #member: Pick<Member, "range" | "readBarrier" | "status">;
  readonly #frames = new KvFrames();

  constructor(member: Pick<Member, "range" | "readBarrier" | "status">) {
    this.#member = member;
  }

  /** Answers with gRPC frames. Throws a DkvError, or an error of etcd. */
  async *stream(message: Buffer): AsyncGenerator<Buffer> {
    const request = decode(RangeRequestSchema, message);
    checkStream(request);
    await caughtUp(this.#member, request);
    // A target without an order would sort each part for itself.
    const operation = rangeOperation({ ...request, sortTarget: SortTarget.KEY });
    if (request.countOnly) yield this.#last(await this.#member.range(operation));
    else yield* this.#parts(operation);
  }

  async *#parts(asked: RangeOperation): AsyncGenerator<Buffer> {
    let operation = asked;
    let count = 0;
    let header: number | undefined;
    for (let most = firstKeys; ; most = laterKeys) {
      const left = asked.limit > 0n ? asked.limit - BigInt(count) : most;
      const part = { ...operation, limit: left < most ? left : most };
      const result = await this.#member.range(part, { maxBytes: partBytes });
      header ??= result.revision;
      count += result.found.length;
      const last = result.found.at(-1);
      if (!result.hasMore || last === undefined) {
        yield this.#last({ ...result, revision: header, count });
        return;
      }
      const behind = Buffer.concat([last.key, Uint8Array.of(0)]);
      const revision = asked.revision > 0n ? asked.revision : BigInt(header);
      operation = { ...asked, key: behind, revision };
      if (BigInt(count) === asked.limit) {
        const rest = await this.#member.range({ ...operation, limit: 0n, countOnly: true });
        yield this.#last({ ...result, revision: header, count: count + rest.count });
        return;
      }
      yield this.#frames.part({ found: result.found, hasMore: false, count: 0 }, undefined);
    }
  }

  /** The part that says what there is to say of all of them. */
  #last(result: Omit<RangeResult, "kind">): Buffer {
    return this.#frames.part(result, { status: this.#member.status(), revision: result.revision });
  }
}

function checkStream(request: RangeRequest): void {
  checkRange(request);
  const { sortOrder, sortTarget } = request;
  const isInOrder =
    sortOrder === SortOrder.NONE || (sortOrder === SortOrder.ASCEND && sortTarget === SortTarget.KEY);
  if (!isInOrder)
    throw new ConnectError("RangeStream does not support custom sort orders", Code.Unimplemented);
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const isBounded = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some(
    (bound) => bound !== 0n,
  );
  if (isBounded) throw new ConnectError("RangeStream does not support revision filters", Code.Unimplemented);
}
