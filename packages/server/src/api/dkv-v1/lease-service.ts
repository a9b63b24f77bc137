/** Leases of dkv.v1, once, for every protocol that carries them. */
import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { GrantLeaseCommandSchema, RevokeLeaseCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type {
  GetLeaseRequest,
  GetLeaseResponseSchema,
  GrantLeaseRequest,
  GrantLeaseResponseSchema,
  KeepLeaseAliveRequest,
  KeepLeaseAliveResponseSchema,
  ListLeasesResponseSchema,
  RevokeLeaseRequest,
  RevokeLeaseResponseSchema,
} from "@dkv/protocol/dkv/v1/dkv";
import { type LeaseId, noLease } from "@dkv/store";
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { headerOf, responseHeader, type Timeout } from "./answers.ts";
import { keyFields } from "./key-bytes.ts";
import { grantedTtl } from "./numbers.ts";

/** Every method rejects with a DkvError. */
export class LeaseService {
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
  }

  async grant(
    request: GrantLeaseRequest,
    timeoutMs: Timeout,
  ): Promise<MessageInitShape<typeof GrantLeaseResponseSchema>> {
    const { leases } = this.#member;
    const ttl = grantedTtl(request.ttlSeconds, leases.leastTtl);
    if (request.id < 0n) throw new DkvError("invalidRequest", "id is negative: choose a positive one, or 0");
    const id = request.id === noLease ? leases.newId() : request.id;
    const command = create(GrantLeaseCommandSchema, { id, ttl });
    await this.#member.propose({ case: "grantLease", value: command }, timeoutMs);
    return { ...this.#header(), id, ttlSeconds: ttl };
  }

  async keepAlive(
    { id }: KeepLeaseAliveRequest,
    timeoutMs: Timeout,
  ): Promise<MessageInitShape<typeof KeepLeaseAliveResponseSchema>> {
    const time = await this.#member.leases.keepAlive(id, timeoutMs);
    if (time === undefined) throw gone(id);
    return { ...this.#header(), ttlSeconds: time.grantedTtl };
  }

  async revoke(
    { id }: RevokeLeaseRequest,
    timeoutMs: Timeout,
  ): Promise<MessageInitShape<typeof RevokeLeaseResponseSchema>> {
    const command = create(RevokeLeaseCommandSchema, { id });
    const result = await this.#member.propose({ case: "revokeLease", value: command }, timeoutMs);
    assert(result.kind === "lease", "a revocation answers one");
    return this.#header(result.revision);
  }

  async get(
    { id, returnKeys }: GetLeaseRequest,
    timeoutMs: Timeout,
  ): Promise<MessageInitShape<typeof GetLeaseResponseSchema>> {
    const { leases } = this.#member;
    const time = await leases.timeOf(id, timeoutMs);
    if (time === undefined) throw gone(id);
    // The leader knows of the lease; what is attached to it has to be here too.
    if (returnKeys) await this.#member.readBarrier(timeoutMs);
    const keys = returnKeys ? await leases.keysOf(id) : [];
    return {
      ...this.#header(),
      grantedTtlSeconds: time.grantedTtl,
      ttlSeconds: time.remainingTtl,
      keys: keys.map((key) => ({ ...keyFields(key), lease: id })),
    };
  }

  async list(timeoutMs: Timeout): Promise<MessageInitShape<typeof ListLeasesResponseSchema>> {
    await this.#member.readBarrier(timeoutMs);
    const ids = await this.#member.leases.list();
    return { ...this.#header(), ids: [...ids] };
  }

  #header(revision?: number) {
    return { header: responseHeader(headerOf(this.#member, revision)) };
  }
}

/** As tools write it; clients that have a number find it in parentheses. */
function leaseText(id: LeaseId): string {
  return `${BigInt.asUintN(64, id).toString(16).padStart(16, "0")} (decimal ${String(id)})`;
}

function gone(id: LeaseId): DkvError {
  return new DkvError(
    "leaseNotFound",
    `lease ${leaseText(id)} ran out, was revoked, or never was: grant a new one`,
  );
}
