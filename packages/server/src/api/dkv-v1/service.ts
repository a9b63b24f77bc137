/** The keys of dkv.v1, once, for every protocol that carries them. */
import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { DeleteCommandSchema, SetCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { DeleteRequest, GetRequest, SetRequest } from "@dkv/protocol/dkv/v1/dkv";
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { requestTooLarge } from "../request-limit.ts";
import type { AnswerHeader, DeleteAnswer, GetAnswer, SetAnswer, Timeout } from "./answers.ts";

/** Every method rejects with a DkvError. */
export class DkvService {
  readonly #member: Member;
  readonly #maxRequestBytes: number;

  /** @param maxRequestBytes most bytes of key and value together */
  constructor(member: Member, maxRequestBytes: number) {
    this.#member = member;
    this.#maxRequestBytes = maxRequestBytes;
  }

  async get(request: GetRequest, timeoutMs: Timeout): Promise<GetAnswer> {
    const key = this.#checkedKey(request.key, 0);
    if (!request.serializable) await this.#member.readBarrier(timeoutMs);
    const found = this.#member.get(key);
    if (found === undefined) throw new DkvError("keyNotFound", "key not found");
    return { header: this.#header(), found };
  }

  async set(request: SetRequest, timeoutMs: Timeout): Promise<SetAnswer> {
    const key = this.#checkedKey(request.key, request.value.length);
    const command = create(SetCommandSchema, { key, value: request.value });
    const result = await this.#member.propose({ case: "set", value: command }, timeoutMs);
    assert(result.kind === "set", "a set answers a set");
    return { header: this.#header(result.revision) };
  }

  async delete(request: DeleteRequest, timeoutMs: Timeout): Promise<DeleteAnswer> {
    const key = this.#checkedKey(request.key, 0);
    const command = create(DeleteCommandSchema, { key });
    const result = await this.#member.propose({ case: "delete", value: command }, timeoutMs);
    assert(result.kind === "delete", "a delete answers a delete");
    return { header: this.#header(result.revision), deleted: result.deleted };
  }

  /** The key's bytes, if the request may be served. */
  #checkedKey(key: string, valueBytes: number): Uint8Array {
    if (key === "") throw new DkvError("emptyKey", "key is empty: a key has at least one byte");
    if (!key.isWellFormed()) throw new DkvError("invalidRequest", "key is not valid Unicode");
    const bytes = Buffer.from(key);
    if (bytes.length + valueBytes > this.#maxRequestBytes) throw requestTooLarge(this.#maxRequestBytes);
    return bytes;
  }

  /** @param revision of the write that is answered; the store's own for anything else */
  #header(revision?: number): AnswerHeader {
    const status = this.#member.status();
    return { status, revision: revision ?? status.revision };
  }
}
