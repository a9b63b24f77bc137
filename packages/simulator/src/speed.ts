/** How fast the simulator is: simulated seconds for each second of the processor, of a cluster without faults. */
import { calmSwarm } from "./faults/swarm.ts";
import { simulate } from "./simulation.ts";

/** Of the whole process, with what compiles and collects beside it: other programs hardly change it. */
type CpuMs = () => number;

/** Clients think for a while after each answer, so that about 100 operations a simulated second come of it. */
const operationsPerSecond = 105;

const rounds = 5;

export interface Speed {
  /** Simulated seconds for each second of the processor, of each round. */
  readonly rounds: readonly number[];
  /** Client operations a simulated second. */
  readonly operations: number;
  /** Events a simulated second. */
  readonly events: number;
}

/** @param seconds that each round simulates; one more goes before, for the compiler */
export async function measureSpeed(seconds: number, cpuMs: CpuMs): Promise<Speed> {
  const options = { seed: 1, swarm: calmSwarm(3, seconds, operationsPerSecond), faults: [] };
  const { operations, steps, simulatedMs, violation } = await simulate(options);
  if (violation !== undefined) throw violation;
  const speeds: number[] = [];
  while (speeds.length < rounds) {
    const startMs = cpuMs();
    await simulate(options);
    speeds.push(simulatedMs / (cpuMs() - startMs));
  }
  const perSecond = (count: number): number => (count * 1000) / simulatedMs;
  return { rounds: speeds, operations: perSecond(operations.ok), events: perSecond(steps) };
}
