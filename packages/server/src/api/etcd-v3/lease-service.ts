/** Leases, as clients of etcd ask for them. */
import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { GrantLeaseCommandSchema, RevokeLeaseCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type {
  LeaseGrantRequest,
  LeaseLeasesResponseSchema,
  LeaseRevokeRequest,
  LeaseRevokeResponseSchema,
  LeaseTimeToLiveRequest,
  LeaseTimeToLiveResponseSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { noLease } from "@dkv/store";
import { maxTtlSeconds, type Member } from "../../consensus/member.ts";
import { LeaseFrames } from "./encoding/lease-frames.ts";
import { etcdError } from "./errors.ts";
import { headerOf } from "./header.ts";
import type { CallInfo } from "./method.ts";

/** What is said of the time of a lease that there is not. */
const goneTtl = -1n;

/** Every method rejects with a DkvError, or with an error of etcd. */
export class LeaseService {
  readonly #member: Member;
  readonly #frames = new LeaseFrames();

  constructor(member: Member) {
    this.#member = member;
  }

  /** Answers with a gRPC frame. */
  async grant(request: LeaseGrantRequest, { timeoutMs }: CallInfo): Promise<Buffer> {
    const { leases } = this.#member;
    if (request.TTL > maxTtlSeconds) throw etcdError(this.#hasSpace() ? "leaseTtlTooLarge" : "noSpace");
    const isTooShort = request.TTL < leases.leastTtl;
    const ttl = isTooShort ? leases.leastTtl : request.TTL;
    const id = request.ID === noLease ? leases.newId() : request.ID;
    const command = create(GrantLeaseCommandSchema, { id, ttl });
    const result = await this.#member.propose({ case: "grantLease", value: command }, timeoutMs);
    const header = { status: this.#member.status(), revision: result.revision };
    return this.#frames.frame(header, { id, ttl });
  }

  async revoke(
    { ID: id }: LeaseRevokeRequest,
    { timeoutMs }: CallInfo,
  ): Promise<MessageInitShape<typeof LeaseRevokeResponseSchema>> {
    const command = create(RevokeLeaseCommandSchema, { id });
    const result = await this.#member.propose({ case: "revokeLease", value: command }, timeoutMs);
    assert(result.kind === "lease", "a revocation answers one");
    return { header: headerOf(this.#member, result.revision) };
  }

  async timeToLive(
    { ID, keys: wantKeys }: LeaseTimeToLiveRequest,
    { timeoutMs }: CallInfo,
  ): Promise<MessageInitShape<typeof LeaseTimeToLiveResponseSchema>> {
    const { leases } = this.#member;
    const time = await leases.timeOf(ID, timeoutMs);
    if (time === undefined) return { header: headerOf(this.#member), ID, TTL: goneTtl };
    // The leader knows of the lease; what is attached to it has to be here too.
    if (wantKeys) await this.#member.readBarrier(timeoutMs);
    const keys = wantKeys ? await leases.keysOf(ID) : [];
    return {
      header: headerOf(this.#member),
      ID,
      TTL: time.remainingTtl,
      grantedTTL: time.grantedTtl,
      keys: keys.map((key) => Uint8Array.from(key)),
    };
  }

  async list({ timeoutMs }: CallInfo): Promise<MessageInitShape<typeof LeaseLeasesResponseSchema>> {
    await this.#member.readBarrier(timeoutMs);
    const ids = (await this.#member.leases.list()).toSorted((a, b) => (a < b ? -1 : 1));
    return { header: headerOf(this.#member), leases: ids.map((ID) => ({ ID })) };
  }

  /** As in etcd, that there is none is said before anything against the request. */
  #hasSpace(): boolean {
    return this.#member.alarms().every(({ kind }) => kind !== "noSpace");
  }
}
