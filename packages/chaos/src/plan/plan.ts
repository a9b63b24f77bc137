/** Which faults come when: the same for the same seed, whatever the cluster does. */
import { Random } from "../random.ts";
import { type Fault, type FaultKind, goTogether } from "./faults.ts";

/** Faults that last together, and the time without any after they are healed. */
export interface Round {
  readonly faults: readonly Fault[];
  /** From the first one to the second, if there is one: time for some to fall behind before others fail. */
  readonly apartMs: number;
  readonly lastsMs: number;
  readonly restMs: number;
}

export interface PlanOptions {
  readonly seed: number;
  /** At least one. */
  readonly kinds: readonly FaultKind[];
}

/** Some faults are slow to heal: they come less often, so that the others come often enough. */
const weights: Readonly<Partial<Record<FaultKind, number>>> = {
  kill: 3,
  pause: 3,
  leaderAlone: 2,
  oneWay: 2,
  split: 2,
};

/**
 * Rounds without end. Every kind has come once before chance alone decides, so that a short run is no
 * matter of luck either.
 */
export function* planRounds({ seed, kinds }: PlanOptions): Generator<Round, never> {
  const random = new Random(seed, "plan");
  const weighted = kinds.flatMap((kind) => Array.from({ length: weights[kind] ?? 1 }, () => kind));
  const atFirst = [...random.shuffled(kinds)];
  for (;;) {
    const first = atFirst.shift() ?? random.pick(weighted);
    const partners = weighted.filter((kind) => goTogether(first, kind));
    const isDouble = random.chance(0.5) && partners.length > 0;
    const chosen = isDouble ? [first, random.pick(partners)] : [first];
    yield {
      faults: chosen.map((kind) => ({ kind, strikesLeader: random.chance(0.6), seed: random.next() })),
      apartMs: isDouble && random.chance(0.7) ? random.between(100, 4_000) : 0,
      lastsMs: random.between(2_000, 8_000),
      restMs: random.between(500, 3_000),
    };
  }
}
