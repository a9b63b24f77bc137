/** Clients that write and read as fast as they are answered, and remember what they saw. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { DkvClientError, type DkvClient } from "@dkv/client";
import { checkRegister, type Operation } from "./linearizable.ts";

export interface RecordedLoad {
  /** Ends the load and gives what was seen of each key, in the order of the calls. */
  stop(): Promise<ReadonlyMap<string, readonly Operation[]>>;
  /** Writes acknowledged so far. */
  readonly acknowledged: number;
  /** Resolves when so many more writes were acknowledged. */
  more(count: number): Promise<void>;
}

/**
 * Starts `writers` loops. Each writes to one of `keys` keys a value that nobody else writes, and reads
 * another; so each key is written and read by several at once. Clients may come and go while it runs: each
 * round of a loop takes the next one of `clients` as they are then.
 */
export function startRecordedLoad(
  clients: readonly DkvClient[],
  { writers, keys }: { writers: number; keys: number },
): RecordedLoad {
  const history = new Map<string, Operation[]>();
  const state = { running: true, acknowledged: 0 };
  let waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  const record = (key: string, operation: Operation): void => {
    const list = history.get(key);
    if (list === undefined) history.set(key, [operation]);
    else list.push(operation);
  };

  const acknowledge = (): void => {
    state.acknowledged += 1;
    const due = waiting.filter(({ at }) => at <= state.acknowledged);
    waiting = waiting.filter((one) => !due.includes(one));
    for (const { resolve } of due) resolve();
  };

  const writeOnce = async (client: DkvClient, key: string, value: string): Promise<void> => {
    const calledAt = performance.now();
    try {
      await client.set(key, value);
      acknowledge();
      record(key, { kind: "write", value, calledAt, returnedAt: performance.now() });
    } catch (error) {
      if (!(error instanceof DkvClientError)) throw error;
      if (error.retry === "outcomeUnknown")
        record(key, { kind: "write", value, calledAt, returnedAt: Infinity });
      else await delay(10);
    }
  };

  const readOnce = async (client: DkvClient, key: string): Promise<void> => {
    const calledAt = performance.now();
    try {
      const found = await client.get(key);
      const value = found === undefined ? undefined : Buffer.from(found.value).toString();
      record(key, { kind: "read", value, calledAt, returnedAt: performance.now() });
    } catch (error) {
      if (!(error instanceof DkvClientError)) throw error;
      await delay(10);
    }
  };

  const loop = async (writer: number): Promise<void> => {
    for (let round = 0; state.running; round += 1) {
      const client = clients[(writer + round) % clients.length];
      if (client === undefined) throw new Error("a load needs a client");
      await writeOnce(client, `key-${String((writer + round) % keys)}`, `${String(writer)}-${String(round)}`);
      await readOnce(client, `key-${String((writer * 7 + round * 3) % keys)}`);
    }
  };

  const loops = Array.from({ length: writers }, (_, writer) => loop(writer));
  return {
    get acknowledged() {
      return state.acknowledged;
    },
    more(count) {
      return new Promise((resolve) => {
        waiting.push({ at: state.acknowledged + count, resolve });
      });
    },
    async stop() {
      state.running = false;
      await Promise.all(loops);
      return history;
    },
  };
}

/** Ends the load, and makes sure that no acknowledged write was lost and no read was stale. */
export async function stopAndCheck(load: RecordedLoad): Promise<void> {
  const history = await load.stop();
  for (const [key, operations] of history) {
    const verdict = checkRegister(operations);
    assert.equal(verdict.kind, "linearizable", `${key}: ${JSON.stringify(verdict)}`);
  }
}
