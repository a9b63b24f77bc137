/** All workloads of a run, from its beginning until they are judged. */
import type { Member } from "@dkv/cluster";
import { Followers } from "./followers.ts";
import { Leases } from "./leases.ts";
import { Locks } from "./locks.ts";
import { Registers, type RegistersOptions } from "./registers.ts";
import { Transactions } from "./transactions.ts";
import type { Workload } from "./workload.ts";

export class Load {
  readonly registers: Registers;
  readonly workloads: readonly Workload[];

  /** Begins at once. The first verdict of `onVerdict` is the one that counts. */
  constructor(options: RegistersOptions) {
    this.registers = new Registers(options);
    this.workloads = [
      this.registers,
      new Transactions(options),
      new Followers(options),
      new Locks(options),
      new Leases(options),
    ];
  }

  /** Of all clients, as far as they have ended. */
  get operations(): number {
    return this.workloads.reduce((sum, { tally }) => sum + tally.operations, 0);
  }

  get unknown(): number {
    return this.workloads.reduce((sum, { tally }) => sum + tally.unknown, 0);
  }

  /** As {@link Registers.useEach}. @throws {Trouble} */
  async useEach(members: readonly Member[], patienceMs?: number): Promise<void> {
    await this.registers.useEach(members, patienceMs);
  }

  /** Ends all clients, and judges what is left. */
  async stop(): Promise<void> {
    await Promise.all(this.workloads.map((workload) => workload.stop()));
  }

  /** Ends all clients, and judges nothing more. */
  async abandon(): Promise<void> {
    await Promise.all(this.workloads.map((workload) => workload.abandon()));
  }
}
