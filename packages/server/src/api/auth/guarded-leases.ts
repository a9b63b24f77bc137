/** Leases as one user sees them. Who may not write all keys of one cannot keep them alive, or end them. */
import { everyKey, type LeaseId } from "@dkv/store";
import type { LeaseKeeper } from "../../consensus/member.ts";
import type { Rights } from "./rights.ts";

type LeaseTime = Awaited<ReturnType<LeaseKeeper["timeOf"]>>;

export class GuardedLeases implements LeaseKeeper {
  readonly #leases: LeaseKeeper;
  readonly #rights: Rights;

  constructor(leases: LeaseKeeper, rights: Rights) {
    this.#leases = leases;
    this.#rights = rights;
  }

  newId(): LeaseId {
    return this.#leases.newId();
  }

  get leastTtl(): bigint {
    return this.#leases.leastTtl;
  }

  keepAlive(id: LeaseId, timeoutMs?: number): Promise<LeaseTime> {
    return this.#rights.areFree ? this.#leases.keepAlive(id, timeoutMs) : this.#keepAliveAs(id, timeoutMs);
  }

  async timeOf(id: LeaseId, timeoutMs?: number): Promise<LeaseTime> {
    this.#rights.needUser();
    return this.#leases.timeOf(id, timeoutMs);
  }

  grantedTtl(id: LeaseId): bigint | undefined {
    this.#rights.needUser();
    return this.#leases.grantedTtl(id);
  }

  async list(): Promise<readonly LeaseId[]> {
    this.#rights.needUser();
    const ids = await this.#leases.list();
    if (this.#rights.may("read", everyKey)) return ids;
    for (const id of ids) this.#rights.needKeys("read", await this.#leases.keysOf(id));
    return ids;
  }

  async keysOf(id: LeaseId): Promise<readonly Uint8Array[]> {
    this.#rights.needUser();
    const keys = await this.#leases.keysOf(id);
    this.#rights.needKeys("read", keys);
    return keys;
  }

  async #keepAliveAs(id: LeaseId, timeoutMs: number | undefined): Promise<LeaseTime> {
    if (!this.#rights.may("write", everyKey)) this.#rights.needKeys("write", await this.#leases.keysOf(id));
    return this.#leases.keepAlive(id, timeoutMs);
  }
}
