/** Plays a stream of steps on two servers at the same time, and compares as it goes. */
import { type Finding, firstFinding, type Played } from "../compare/finding.ts";
import type { Step } from "../step.ts";
import { within } from "../platform/time.ts";
import type { Server } from "../servers/server.ts";
import type { Lane } from "./lane.ts";
import { lostCode } from "./status.ts";

/**
 * Steps between two comparisons. Within them neither server waits for the other; at their end all watchers
 * must have got everything, which an etcd may take a tenth of a second for.
 */
const stretch = 200;

/** How long a server that breaks connections may take to end, if it does. */
const endMs = 2_000;

export interface Outcome {
  readonly finding: Finding | undefined;
  /** Those that were played, up to the end of the stretch with the finding. */
  readonly steps: readonly Step[];
}

/** A server and the way to it. */
export interface Player {
  readonly server: Server;
  readonly lane: Pick<Lane, "play" | "take" | "close">;
}

/** @param onProgress takes the number of steps so far */
export async function playBoth(
  [a, b]: readonly [Player, Player],
  steps: Iterable<Step>,
  onProgress: (played: number) => void,
): Promise<Outcome> {
  const played: Step[] = [];
  for (const chunk of chunked(steps)) {
    const both = await Promise.all([playStretch(a, chunk), playStretch(b, chunk)]);
    const finding = firstFinding(both, chunk, played.length);
    played.push(...chunk);
    if (finding !== undefined) return { finding, steps: played };
    onProgress(played.length);
  }
  return { finding: undefined, steps: played };
}

async function playStretch({ lane, server }: Player, steps: readonly Step[]): Promise<Played> {
  const answers = await lane.play(steps);
  const lostAt = answers.findIndex(({ code }) => code === lostCode);
  // A connection is lost a moment before the process has gone.
  const ended =
    lostAt >= 0 &&
    (await within(
      server.ended.then(() => true),
      endMs,
    )) === true;
  return { answers, deliveries: lane.take(), endedAt: ended ? lostAt : undefined };
}

function* chunked(steps: Iterable<Step>): Generator<readonly Step[]> {
  let chunk: Step[] = [];
  for (const step of steps) {
    chunk.push(step);
    if (chunk.length < stretch) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
