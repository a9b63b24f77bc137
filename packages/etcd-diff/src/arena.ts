import type { Player } from "./play/compare-run.ts";
import { Lane } from "./play/lane.ts";
import type { StartServer } from "./servers/server.ts";

/** Starts a server without data, and finds a way to it. Rejects with ServerError if it does not start. */
export type StartPlayer = () => Promise<Player>;

/** Two that are compared. */
export type Pair = readonly [Player, Player];

/** With the usual way to it. */
export async function startPlayer(start: StartServer): Promise<Player> {
  const server = await start();
  try {
    return { server, lane: await Lane.open(server) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Starts pairs, one after the other, and ends what it started. */
export class Arena {
  readonly #starts: readonly [StartPlayer, StartPlayer];
  #next: Promise<Pair> | undefined;

  constructor(starts: readonly [StartPlayer, StartPlayer]) {
    this.#starts = starts;
  }

  /**
   * A fresh pair for this, which goes afterwards. Rejects with ServerError if a server does not start.
   *
   * @param isLast otherwise the next pair is started meanwhile
   */
  async with<Result>(use: (pair: Pair) => Promise<Result>, isLast = false): Promise<Result> {
    const pair = await (this.#next ?? startPair(this.#starts));
    this.#next = isLast ? undefined : startPair(this.#starts);
    // Who asks for the next pair is told of its failure.
    this.#next?.catch(() => undefined);
    try {
      return await use(pair);
    } finally {
      await stopAll(pair);
    }
  }

  /** Ends the pair that nobody has asked for. */
  async close(): Promise<void> {
    const pair = await this.#next?.catch(() => undefined);
    this.#next = undefined;
    if (pair !== undefined) await stopAll(pair);
  }
}

async function startPair(starts: readonly [StartPlayer, StartPlayer]): Promise<Pair> {
  const results = await Promise.allSettled([starts[0](), starts[1]()]);
  const [first, second] = results;
  if (first.status === "fulfilled" && second.status === "fulfilled") return [first.value, second.value];
  await stopAll(results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
  throw results.find((one) => one.status === "rejected")?.reason;
}

async function stopAll(players: readonly Player[]): Promise<void> {
  for (const { lane } of players) lane.close();
  await Promise.all(players.map(({ server }) => server.stop()));
}
