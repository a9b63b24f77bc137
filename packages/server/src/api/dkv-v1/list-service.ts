/** Lists keys of dkv.v1, page by page. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { RangeOperationSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { ListRequest, ListResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import type { KeyValue, Revision } from "@dkv/store";
import type { Member, MemberStatus } from "../../consensus/member.ts";
import { caughtUp } from "../caught-up.ts";
import { keyValue, responseHeader, type Timeout } from "./answers.ts";
import { type KeyRange, keyRange } from "./key-bytes.ts";
import { revisionOf } from "./numbers.ts";
import { decodePageToken, encodePageToken, type PagePosition } from "./page-token.ts";

export interface ListAnswer {
  readonly status: MemberStatus;
  /** The one that all pages show. */
  readonly revision: Revision;
  readonly found: readonly KeyValue[];
  readonly nextPageToken: string;
}

const defaultKeys = 1000;

/** A page is read, made and encoded in pieces of few milliseconds, in which nobody else is served. */
const maxKeys = 2000;
/** Of keys and values. */
const maxPageBytes = 256 * 1024;

export class ListService {
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
  }

  /** Rejects with a DkvError. */
  async list(request: ListRequest, timeoutMs: Timeout): Promise<ListAnswer> {
    const range = keyRange(request.keys);
    const { clusterId } = this.#member.status();
    const position = request.pageToken === "" ? undefined : decodePageToken({ clusterId, request });
    await this.#catchUp(request, position, timeoutMs);
    const result = await this.#read(request, range, position);
    const status = this.#member.status();
    const revision = position?.revision ?? (revisionOf(request.revision) || result.revision);
    const last = result.found.at(-1);
    const nextPageToken =
      result.hasMore && last !== undefined
        ? encodePageToken({ revision, lastKey: last.key }, { clusterId, request })
        : "";
    return { status, revision, found: result.found, nextPageToken };
  }

  /**
   * What a revision was never changes, so only one that is not here yet has to be waited for. Who may read it
   * may have changed since.
   */
  #catchUp(request: ListRequest, position: PagePosition | undefined, timeoutMs: Timeout): Promise<void> {
    if (position === undefined) return caughtUp(this.#member, request, timeoutMs);
    const serializable = request.serializable || !this.#member.auth.isEnabled;
    return caughtUp(this.#member, { serializable, revision: BigInt(position.revision) }, timeoutMs);
  }

  #read(
    { limit, keysOnly, revision }: ListRequest,
    { key, rangeEnd }: KeyRange,
    position: PagePosition | undefined,
  ): ReturnType<Member["range"]> {
    const operation = create(RangeOperationSchema, {
      key: position === undefined ? key : behind(position.lastKey),
      rangeEnd,
      limit: BigInt(Math.min(limit === 0 ? defaultKeys : limit, maxKeys)),
      revision: BigInt(position?.revision ?? revisionOf(revision)),
      keysOnly,
    });
    return this.#member.range(operation, { maxBytes: maxPageBytes });
  }
}

export function listResponse(answer: ListAnswer): MessageInitShape<typeof ListResponseSchema> {
  const { status, revision, found, nextPageToken } = answer;
  return { header: responseHeader({ status, revision }), found: found.map(keyValue), nextPageToken };
}

/** The first key that can stand behind this one. */
const behind = (key: Uint8Array): Uint8Array => Buffer.concat([key, Uint8Array.of(0)]);
