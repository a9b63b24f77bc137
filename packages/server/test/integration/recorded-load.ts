/** Clients that write and read as fast as they are answered, and remember what they saw. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import {
  checkRegisters,
  Recorder,
  type RegisterAction,
  type RegisterHistory,
  type RegisterResult,
  registerModel,
  renderViolation,
} from "@dkv/checker";
import { DkvClientError, type DkvClient } from "@dkv/client";
import { Progress } from "./killing.ts";

export interface RecordedLoad {
  /** Ends the load and gives what was asked and seen. */
  stop(): Promise<RegisterHistory>;
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
  const recorder = new Recorder<RegisterAction, RegisterResult>(() => performance.now());
  const acknowledged = new Progress();
  let isRunning = true;

  const writeOnce = async (client: DkvClient, name: string, action: SetAction): Promise<void> => {
    const pending = recorder.begin(name, action);
    try {
      await client.set(action.key, action.value);
      pending.ok({});
      acknowledged.advance();
    } catch (error) {
      if (!(error instanceof DkvClientError)) throw error;
      if (error.retry === "outcomeUnknown") {
        pending.unknown();
      } else {
        pending.failed();
        await delay(10);
      }
    }
  };

  const readOnce = async (client: DkvClient, name: string, key: string): Promise<void> => {
    const pending = recorder.begin(name, { kind: "get", key });
    try {
      const found = await client.get(key);
      pending.ok({ value: found === undefined ? undefined : Buffer.from(found.value).toString() });
    } catch (error) {
      if (!(error instanceof DkvClientError)) throw error;
      pending.failed();
      await delay(10);
    }
  };

  const loop = async (writer: number): Promise<void> => {
    for (let round = 0; isRunning; round += 1) {
      const client = clients[(writer + round) % clients.length];
      if (client === undefined) throw new Error("a load needs a client");
      const name = `writer-${String(writer)}`;
      const value = `${String(writer)}-${String(round)}`;
      await writeOnce(client, name, { kind: "set", key: `key-${String((writer + round) % keys)}`, value });
      await readOnce(client, name, `key-${String((writer * 7 + round * 3) % keys)}`);
    }
  };

  const loops = Array.from({ length: writers }, (_, writer) => loop(writer));
  return {
    get acknowledged() {
      return acknowledged.count;
    },
    more: async (count) => acknowledged.more(count),
    async stop() {
      isRunning = false;
      await Promise.all(loops);
      return recorder.history();
    },
  };
}

type SetAction = RegisterAction & { readonly kind: "set" };

/** Ends the load, and makes sure that no acknowledged write was lost and no read was stale. */
export async function stopAndCheck(load: RecordedLoad): Promise<void> {
  assertLinearizable(await load.stop());
}

/** Fails with the operations that no order exists for. */
export function assertLinearizable(history: RegisterHistory): void {
  const verdict = checkRegisters(history);
  if (verdict.kind === "violated") assert.fail(renderViolation(verdict.violation, registerModel.describe));
  assert.equal(verdict.kind, "linearizable", "the history is too tangled to be judged");
}
