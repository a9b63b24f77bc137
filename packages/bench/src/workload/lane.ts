import { sleep } from "../platform/clock.ts";

/** How long a client rests after an error, and a lost connection before it is tried again. */
export const restMs = 50;

/** A connection, as far as a lane knows it. */
export interface Session {
  readonly close: () => void;
}

export interface LaneDeps<Dialled extends Session> {
  readonly dial: () => Promise<Dialled>;
  /** Puts its clients on it. Resolves when all have stopped, for it is over or the connection is gone. */
  readonly run: (dialled: Dialled) => Promise<void>;
  readonly isOver: () => boolean;
  /** A connection could not be made again. */
  readonly onFailure: (reason: string) => void;
}

/**
 * One connection and its clients, for one row. Losing it is an error for each of them; then it is remade.
 * Resolves when the row is over and nothing is open; never rejects.
 */
export async function runLane<Dialled extends Session>(
  first: Dialled,
  { dial, run, isOver, onFailure }: LaneDeps<Dialled>,
): Promise<void> {
  let dialled: Dialled | undefined = first;
  for (;;) {
    if (dialled !== undefined) {
      await run(dialled);
      dialled.close();
    }
    if (isOver()) return;
    await sleep(restMs);
    dialled = await dial().catch(() => {
      onFailure("reconnecting failed");
      return undefined;
    });
  }
}
