import { nowMs } from "../../platform/clock.ts";
import type { RunningSystem, System } from "../../systems/system.ts";
import { preload } from "../../workload/preload.ts";
import type { Data } from "../../workload/work.ts";
import type { StoreDeps } from "../deps.ts";

const connections = 8;

/** A cluster that holds all its keys. */
export interface Filled {
  readonly system: System;
  readonly running: RunningSystem;
  readonly data: Data;
}

/** Sets keys, beginning again with the first when all were set, until so many writes are done. */
export async function setKeys(
  { system, running, data }: Filled,
  writes: number,
  { options, progress, signal }: StoreDeps,
): Promise<void> {
  const { target } = await running.findLeader();
  const startedMs = nowMs();
  let done = 0;
  const filling = preload(target, {
    set: system.methods(options.valueBytes).set,
    data,
    keys: repeated(data.keys, writes),
    connections,
    onSet: () => {
      done += 1;
    },
    signal,
  });
  const total = writes.toLocaleString("en");
  await progress.during(() => `setting keys, ${done.toLocaleString("en")} of ${total} writes`, filling);
  const seconds = (nowMs() - startedMs) / 1000;
  progress.line(`${total} writes in ${seconds.toFixed(1)} s, ${(writes / seconds).toFixed(0)}/s`);
}

function* repeated(keys: readonly Buffer[], writes: number): Generator<Buffer> {
  for (let at = 0; at < writes; at += 1) {
    const key = keys[at % keys.length];
    if (key !== undefined) yield key;
  }
}
