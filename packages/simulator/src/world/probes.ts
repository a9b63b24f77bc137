/**
 * Rare things that a run should come upon now and then. A soak reports which of them none has reached: then
 * the simulator does not try what it seems to try.
 */
export const probeNames = [
  "leader elected",
  "write acknowledged",
  "write outcome unknown",
  "write refused",
  "read served",
  "read refused",
  "crash during a log write",
  "torn tail dropped",
  "crash after the write, before the word",
  "crash during a save of the state",
  "process restarted",
  "machine lost power",
  "process paused",
  "paused leader woke up",
  "clock jumped",
  "connection cut within a chunk",
  "connection refused",
  "chunk held by a partition",
  "writer held up",
  "messages late",
  "messages twice",
  "messages lost",
  "sync failed",
  "disk full",
  "disk reserve low",
  "disk hung",
  "damaged disk refused a start",
  "damaged record stopped a member",
  "member with a lost disk stopped",
  "log compacted",
  "snapshot begun",
  "snapshot gone on with",
  "snapshot installed",
  "member joined",
  "member left",
  "member replaced",
  "learner promoted",
  "member told of its removal",
  "leadership moved",
  "state check agreed",
  "older member led",
  "upgraded while others were older",
  "an entry waited for the disk",
  "ended while an entry waited",
  "compare and swap",
  "interval deleted",
  "range of the past read",
  "transaction refused",
  "transaction of many operations",
  "lists appended to",
  "lease kept alive",
  "lease revoked",
  "lease expired",
  "lock taken",
  "watch told of changes",
  "watch ended as compacted",
  "history given up",
  "rules changed",
  "caller refused",
] as const;

export type Probe = (typeof probeNames)[number];

export class Probes {
  readonly #counts = new Map<Probe, number>();

  reached(probe: Probe, times = 1): void {
    this.#counts.set(probe, (this.#counts.get(probe) ?? 0) + times);
  }

  count(probe: Probe): number {
    return this.#counts.get(probe) ?? 0;
  }

  /** Counts what another run has reached. */
  add(other: Probes): void {
    for (const [probe, count] of other.#counts) this.reached(probe, count);
  }

  get missed(): readonly Probe[] {
    return probeNames.filter((probe) => this.count(probe) === 0);
  }
}
