/**
 * Which faults come when. Drawn beforehand and apart from everything else, so that a run can be repeated with
 * some of them left out. Each kind draws from a stream of its own. Whom a fault hits is a number, and means a
 * machine once it comes.
 */
import { Prng } from "../world/random.ts";
import type { FaultKind, Swarm } from "./swarm.ts";

export interface Fault {
  /** Its place in the schedule, by which it is kept or left out. */
  readonly number: number;
  readonly kind: FaultKind;
  readonly atUs: number;
  readonly forUs: number;
  /** Picks machines: the first of these modulo how many there are, and so on. */
  readonly targets: readonly [number, number];
  /** Whether it is the leader that is hit, if there is one. */
  readonly hitsLeader: boolean;
  /** Whatever else the kind needs to draw. */
  readonly die: number;
}

const second = 1_000_000;

export function schedule({ faults, seconds }: Swarm, seed: number): readonly Fault[] {
  const drawn = faults.flatMap(([kind, rate]) => {
    const random = new Prng(seed, `faults ${kind}`);
    const count = Math.max(1, Math.round((rate * seconds) / 10));
    return Array.from({ length: count }, () => draw(kind, random, seconds));
  });
  return drawn.toSorted((a, b) => a.atUs - b.atUs).map((fault, number) => ({ ...fault, number }));
}

function draw(kind: FaultKind, random: Prng, seconds: number): Omit<Fault, "number"> {
  return {
    kind,
    atUs: random.below(seconds * second),
    forUs: random.pick([0.02, 0.2, 1, 3, 8]) * second + random.below(second / 2),
    targets: [random.next(), random.next()],
    hitsLeader: random.chance(0.4),
    die: random.next(),
  };
}

/** One line for a report. @param machines of the founders: with every one that joins others are hit */
export function formatFault(
  { number, kind, atUs, forUs, hitsLeader, targets }: Fault,
  machines: number,
): string {
  const machine = `m${String((targets[0] % machines) + 1)} as long as nobody has joined`;
  const whom = hitsLeader ? `the leader, or ${machine}` : machine;
  return `#${String(number)} ${(atUs / second).toFixed(3)} s: ${kind} for ${(forUs / second).toFixed(2)} s, ${whom}`;
}
