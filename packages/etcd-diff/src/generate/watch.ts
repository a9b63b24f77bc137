/** What is done with a stream of watches. */
import type { Plain } from "../message/plain.ts";
import type { Random } from "../random.ts";
import type { Step } from "../step.ts";
import { fields, interval, sometimes } from "./words.ts";

/** Ids that a client may choose. */
const chosenIds = [0, 1, 2, 5, 40] as const;

export function watchStep(random: Random): Step {
  return random.weighted<() => Step>([
    [12, () => create(random)],
    [9, () => ({ call: "Watch/cancel", request: { watch_id: `watcher:${String(random.below(8))}` } })],
    [1, () => ({ call: "Watch/cancel", request: { watch_id: 999 } })],
    [4, () => ({ call: "Watch/progress", request: {} })],
    [1, () => ({ call: "Watch/close", request: {} })],
  ])();
}

function create(random: Random): Step {
  const request = fields({
    ...interval(random, 0.7),
    start_revision: sometimes(random, 0.5, () => start(random)),
    filters: sometimes(random, 0.25, () => random.pick([[0], [1], [0, 1]])),
    prev_kv: sometimes(random, 0.4, () => true),
    progress_notify: sometimes(random, 0.1, () => true),
    watch_id: sometimes(random, 0.1, () => random.pick(chosenIds)),
    fragment: sometimes(random, 0.1, () => true),
  });
  return { call: "Watch/create", request };
}

function start(random: Random): Plain {
  return random.weighted<() => Plain>([
    [6, () => `latest-${String(random.below(30))}`],
    [2, () => `latest+${String(random.between(1, 4))}`],
    [2, () => `compacted+${String(random.below(3))}`],
    [1, () => `compacted-${String(random.between(1, 2))}`],
    [1, () => 1],
  ])();
}
