/** Single keys of dkv.v1, once, for every protocol that carries them. */
import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { RangeOperationSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { DeleteRequest, GetRequest, SetRequest } from "@dkv/protocol/dkv/v1/dkv";
import { type KeyValue, noLease, type Operation, type OperationResult, plainSet } from "@dkv/store";
import type { CommandResult, Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { caughtUp } from "../caught-up.ts";
import { requestTooLarge } from "../request-limit.ts";
import { type DeleteAnswer, type GetAnswer, headerOf, type SetAnswer, type Timeout } from "./answers.ts";
import { plainDelete, setCommand } from "./commands.ts";
import { conditional, type Conditions, hasConditions, preconditionFailed } from "./conditions.ts";
import { keyBytes } from "./key-bytes.ts";
import { revisionOf } from "./numbers.ts";
import { usualBytes } from "./pipe/answer-bytes.ts";
import type { AnswerRoom } from "./pipe/answer-room.ts";

type Write = Extract<Operation, { case: "set" | "delete" }>;
type WriteResult = Extract<OperationResult, { kind: "set" | "delete" }>;

/** Every method rejects with a DkvError. */
export class DkvService {
  readonly #member: Member;
  readonly #maxRequestBytes: number;

  /** @param maxRequestBytes most bytes of key and value together */
  constructor(member: Member, maxRequestBytes: number) {
    this.#member = member;
    this.#maxRequestBytes = maxRequestBytes;
  }

  /** @param room for the value; without it, there always is */
  async get(request: GetRequest, timeoutMs: Timeout, room?: AnswerRoom): Promise<GetAnswer> {
    const key = this.#checkedKey(request.key, 0);
    await caughtUp(this.#member, request, timeoutMs);
    const found =
      request.revision === 0n
        ? await this.#current(key, room)
        : await this.#past(key, request.revision, room);
    if (found === undefined) throw new DkvError("keyNotFound", "key not found");
    return { header: headerOf(this.#member), found };
  }

  async set(request: SetRequest, timeoutMs: Timeout): Promise<SetAnswer> {
    const { value } = request;
    const key = this.#checkedKey(request.key, value.length);
    const command = isPlain(request)
      ? plainSet(key, value)
      : setCommand({ key, value }, request, this.#member.leases);
    const result = await this.#write({ case: "set", value: command }, request, timeoutMs);
    assert(result.kind === "set", "a set answers a set");
    return { header: headerOf(this.#member, result.revision), previous: result.previous };
  }

  async delete(request: DeleteRequest, timeoutMs: Timeout): Promise<DeleteAnswer> {
    const key = this.#checkedKey(request.key, 0);
    const command = { ...plainDelete(key), wantPrevious: request.returnPrevious };
    const result = await this.#write({ case: "delete", value: command }, request, timeoutMs);
    assert(result.kind === "delete", "a delete answers a delete");
    return {
      header: headerOf(this.#member, result.revision),
      deleted: result.deleted > 0,
      previous: result.previous[0],
    };
  }

  async #write(write: Write, conditions: Conditions, timeoutMs: Timeout): Promise<WriteResult> {
    if (!hasConditions(conditions)) return asWrite(await this.#member.propose(write, timeoutMs));
    const { key } = write.value;
    const command = conditional(key, conditions, write);
    const result = await this.#member.propose({ case: "txn", value: command }, timeoutMs);
    assert(result.kind === "txn", "a transaction answers a transaction");
    if (!result.succeeded) throw preconditionFailed(this.#member.get(key));
    return asWrite(result.results[0]);
  }

  async #current(key: Uint8Array, room: AnswerRoom | undefined): Promise<KeyValue | undefined> {
    while (room?.isOpen === false) await room.whenOpen();
    const found = this.#member.get(key);
    room?.take(valueBytes(found));
    return found;
  }

  async #past(
    key: Uint8Array,
    revision: bigint,
    room: AnswerRoom | undefined,
  ): Promise<KeyValue | undefined> {
    const operation = create(RangeOperationSchema, { key, revision: BigInt(revisionOf(revision)) });
    const read = async (): Promise<KeyValue | undefined> => (await this.#member.range(operation)).found[0];
    return room === undefined ? read() : room.answer(usualBytes, read, valueBytes);
  }

  /** The key's bytes, if the request may be served. */
  #checkedKey(key: string, valueBytes: number): Uint8Array {
    const bytes = keyBytes(key);
    if (bytes.length + valueBytes > this.#maxRequestBytes) throw requestTooLarge(this.#maxRequestBytes);
    return bytes;
  }
}

const valueBytes = (found: KeyValue | undefined): number => found?.value.length ?? 0;

const isPlain = ({ ttlSeconds, lease, returnPrevious }: SetRequest): boolean =>
  ttlSeconds === 0n && lease === noLease && !returnPrevious;

function asWrite(result: CommandResult | OperationResult | undefined): WriteResult {
  assert(result?.kind === "set" || result?.kind === "delete", "a write answers a write");
  return result;
}
