/** Clients that take leases, set keys with them, keep them alive for a while, and revoke or forget them. */
import { create } from "@bufbuild/protobuf";
import { GrantLeaseCommandSchema, RevokeLeaseCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { LeaseTimes } from "../checkers/lease-times.ts";
import type { Doors, Reply } from "./doors.ts";
import { setOf } from "./operations.ts";

export const grantOf = (id: bigint, ttl: bigint) =>
  ({ case: "grantLease", value: create(GrantLeaseCommandSchema, { id, ttl }) }) as const;

export const revokeOf = (id: bigint) =>
  ({ case: "revokeLease", value: create(RevokeLeaseCommandSchema, { id }) }) as const;

/** Seconds. */
export const longestTtl = 3;

export const leaseIdFrom = (doors: Doors): bigint => BigInt.asUintN(62, doors.random.name()) + 1n;

/** Whether the lease is kept alive, as its holder is told; the promise is noted. */
export async function keepAlive(
  doors: Doors,
  times: LeaseTimes,
  lease: { readonly id: bigint; readonly ttl: bigint },
): Promise<boolean> {
  const asked = times.now();
  const reply = await doors.ask((member) => member.leases.keepAlive(lease.id));
  const isAlive = reply.kind === "ok" && reply.value !== undefined;
  if (isAlive) {
    times.promised(lease.id, lease.ttl, asked);
    doors.world.probes.reached("lease kept alive");
  }
  return isAlive;
}

export class LeaseHolders {
  readonly #doors: Doors;
  readonly #times: LeaseTimes;

  constructor(doors: Doors, times: LeaseTimes) {
    this.#doors = doors;
    this.#times = times;
  }

  start(clients: number): void {
    this.#doors.run(clients, 300, () => this.#act());
  }

  async #act(): Promise<void> {
    const doors = this.#doors;
    const { random } = doors;
    const lease = { id: leaseIdFrom(doors), ttl: BigInt(random.between(1, longestTtl)) };
    if (!(await this.#grant(lease))) return;
    for (let keys = random.below(3); keys > 0; keys -= 1) {
      const key = `t/${String(random.below(8))}`;
      await doors.ask((member) => member.propose(setOf(key, `of ${String(lease.id)}`, { lease: lease.id })));
    }
    for (let rounds = random.below(6); rounds > 0 && !doors.isStopped; rounds -= 1) {
      await doors.pause(random.between(100_000, Number(lease.ttl) * 900_000));
      if (!(await keepAlive(doors, this.#times, lease))) return;
    }
    if (random.chance(0.5)) return;
    const reply = await doors.ask((member) => member.propose(revokeOf(lease.id)));
    if (reply.kind === "ok") doors.world.probes.reached("lease revoked");
  }

  /** By a command of its own, or with a key. */
  async #grant({ id, ttl }: { readonly id: bigint; readonly ttl: bigint }): Promise<boolean> {
    const doors = this.#doors;
    const asked = this.#times.now();
    const isWithKey = doors.random.chance(0.3);
    const operation = isWithKey ? setOf("t/with", "", { lease: id, grantTtl: ttl }) : grantOf(id, ttl);
    const reply: Reply<unknown> = await doors.ask((member) => member.propose(operation));
    if (reply.kind !== "ok") return false;
    this.#times.promised(id, ttl, asked);
    return true;
  }
}
