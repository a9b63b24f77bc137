import { Random } from "../random.ts";
import type { Step } from "../step.ts";
import { authSteps } from "./auth.ts";
import { clusterSteps } from "./cluster.ts";
import { compactStep, hugeStep, kvStep } from "./kv.ts";
import { leaseSteps } from "./lease.ts";
import { corruptSteps, maintenanceSteps } from "./maintenance.ts";
import { txnStep } from "./txn.ts";
import { watchStep } from "./watch.ts";

/** Families of requests that can be left out or taken in. */
export type Family =
  | "kv"
  | "txn"
  | "compact"
  | "lease"
  | "watch"
  | "cluster"
  | "maintenance"
  | "huge"
  | "corrupt"
  | "auth";

/** How often each comes, of all. */
const weights: Readonly<Record<Family, number>> = {
  kv: 6000,
  txn: 2500,
  compact: 40,
  lease: 600,
  watch: 150,
  cluster: 20,
  maintenance: 250,
  huge: 2,
  corrupt: 3,
  auth: 300,
};

const makers: Readonly<Record<Family, (random: Random) => readonly Step[]>> = {
  kv: (random) => [kvStep(random)],
  txn: (random) => [txnStep(random)],
  compact: (random) => [compactStep(random)],
  lease: leaseSteps,
  watch: (random) => [watchStep(random)],
  cluster: clusterSteps,
  maintenance: maintenanceSteps,
  huge: (random) => [hugeStep(random)],
  corrupt: corruptSteps,
  auth: authSteps,
};

export const families = Object.keys(weights) as readonly Family[];

/** Those that are left out unless they are asked for. */
export const unusual: readonly Family[] = ["corrupt", "auth"];

export interface Recipe {
  readonly seed: number;
  /** How many, or a few more: what belongs together is not torn apart. */
  readonly count: number;
  readonly families: readonly Family[];
}

/** The same steps for the same recipe; a larger count only adds to them. */
export function* generate({ seed, count, families: wanted }: Recipe): Generator<Step> {
  const random = new Random(seed);
  const choice = wanted.map((family) => [weights[family], makers[family]] as const);
  for (let made = 0; made < count; ) {
    const steps = random.weighted(choice)(random);
    yield* steps;
    made += steps.length;
  }
}
