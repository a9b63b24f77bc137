/** Clients that take turns with locks: a lease, and a key that is created with it if there is none. */
import type { LeaseTimes } from "../checkers/lease-times.ts";
import type { Locks } from "../checkers/locks.ts";
import type { Doors } from "./doors.ts";
import { grantOf, keepAlive, leaseIdFrom, longestTtl, revokeOf } from "./leases.ts";
import { compareOf, setOf, txnOf } from "./operations.ts";

const lockNames = ["k/0", "k/1"] as const;

export interface LockDeps {
  readonly times: LeaseTimes;
  readonly locks: Locks;
  /** By which a clock may be too fast: 0.01 is a percent. */
  readonly drift: number;
}

export class LockClients {
  readonly #doors: Doors;
  readonly #deps: LockDeps;

  constructor(doors: Doors, deps: LockDeps) {
    this.#doors = doors;
    this.#deps = deps;
  }

  start(clients: number): void {
    this.#doors.run(clients, 200, (client) => this.#act(`k${String(client)}`));
  }

  async #act(client: string): Promise<void> {
    const doors = this.#doors;
    const { random, world } = doors;
    const { times, locks } = this.#deps;
    const lock = random.pick(lockNames);
    const lease = { id: leaseIdFrom(doors), ttl: BigInt(random.between(2, longestTtl)) };
    const asked = times.now();
    let untilUs = this.#reliesUntil(lease.ttl);
    const granted = await doors.ask((member) => member.propose(grantOf(lease.id, lease.ttl)));
    if (granted.kind !== "ok") return;
    times.promised(lease.id, lease.ttl, asked);
    const above = locks.greatestToken(lock);
    const isFree = compareOf(lock, { target: { case: "createRevision", value: 0n } });
    const take = txnOf([isFree], [setOf(lock, client, { lease: lease.id })]);
    const reply = await doors.ask((member) => member.propose(take));
    if (reply.kind === "ok" && reply.value.kind === "txn" && reply.value.succeeded) {
      const token = reply.value.revision;
      world.probes.reached("lock taken");
      locks.acquired(lock, { client, token, untilUs }, { nowUs: world.nowUs, above });
      for (let rounds = random.below(4); rounds > 0 && !doors.isStopped; rounds -= 1) {
        await doors.pause(random.between(50_000, Number(lease.ttl) * 600_000));
        untilUs = this.#reliesUntil(lease.ttl);
        if (!(await keepAlive(doors, times, lease))) break;
        locks.extended(lock, client, { nowUs: world.nowUs, untilUs });
      }
      locks.released(lock, client);
    }
    // Who dies without a word leaves it to time.
    if (random.chance(0.7)) await doors.ask((member) => member.propose(revokeOf(lease.id)));
  }

  /** If the leader's clock is as fast as can be. */
  #reliesUntil(ttl: bigint): number {
    return this.#doors.world.nowUs + (Number(ttl) * 1_000_000) / (1 + this.#deps.drift);
  }
}
