import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CompactRequestSchema, GetRequestSchema, GetResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import { dial } from "../../http2/dial.ts";
import { directoryBytes } from "../../platform/directory-size.ts";
import { nowMs, sleep } from "../../platform/clock.ts";
import { type PhaseMeasurement, Phases } from "../../recovery/phases.ts";
import { OpenLoop } from "../../workload/open-loop.ts";
import type { StoreDeps } from "../deps.ts";
import { longCall } from "../long-call.ts";
import { askLoop, type LoopDelay } from "../probe/probe.ts";
import type { Filled } from "./fill.ts";

const connections = 4;
const afterMaxSeconds = 5;

export interface CompactionResult {
  readonly revisions: number;
  readonly perSecond: number;
  readonly normal: PhaseMeasurement;
  /** From when the compaction was asked for until everything was removed. */
  readonly compacting: PhaseMeasurement;
  readonly after: PhaseMeasurement;
  readonly normalLoop: LoopDelay;
  readonly compactingLoop: LoopDelay;
  readonly durationMs: number;
  /** Of the leader, log included. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** Gives up all old revisions while clients write. */
export async function measureCompaction(filled: Filled, deps: StoreDeps): Promise<CompactionResult> {
  const { options, progress, signal } = deps;
  const { system, running, data } = filled;
  const leader = await running.findLeader();
  const phases = new Phases();
  const load = await OpenLoop.start({
    method: system.methods(options.valueBytes).set,
    data,
    targets: [leader.target],
    connectionsPerTarget: connections,
    perSecond: options.rate,
    onOutcome: (outcome) => {
      phases.record(outcome);
    },
    signal,
  });
  const rate = `compaction: ${options.rate} writes/s`;
  try {
    await progress.during(`${rate}, warming up`, sleep(options.warmupSeconds * 1000, signal));
    phases.begin("normal", nowMs());
    await askLoop(leader);
    await progress.during(`${rate}, normal`, sleep(options.seconds * 1000, signal));
    const normalLoop = await askLoop(leader);
    const bytesBefore = await directoryBytes(leader.dataDir);
    const startedMs = nowMs();
    phases.begin("compacting", startedMs);
    await progress.during(`${rate}, compacting`, compact(filled, deps));
    const endedMs = nowMs();
    const compactingLoop = await askLoop(leader);
    phases.begin("after", endedMs);
    const afterSeconds = Math.min(afterMaxSeconds, options.seconds);
    await progress.during(`${rate}, after`, sleep(afterSeconds * 1000, signal));
    await load.stop();
    return {
      revisions: options.revisions,
      perSecond: options.rate,
      normal: phases.measurement("normal"),
      compacting: phases.measurement("compacting"),
      after: phases.measurement("after"),
      normalLoop,
      compactingLoop,
      durationMs: endedMs - startedMs,
      bytesBefore,
      bytesAfter: await directoryBytes(leader.dataDir),
    };
  } finally {
    await load.stop();
  }
}

/** Resolves when everything before the current revision is removed. */
async function compact({ running, data }: Filled, { options, signal }: StoreDeps): Promise<void> {
  const { target } = await running.findLeader();
  const { connection, close } = await dial(target, signal);
  try {
    const key = String(data.keys[0]);
    const get = toBinary(GetRequestSchema, create(GetRequestSchema, { key }));
    const answer = await longCall(connection, target, { path: "/dkv.v1.DkvAPI/Get", message: get });
    const revision = fromBinary(GetResponseSchema, answer).header?.revision ?? 0n;
    await longCall(connection, target, {
      path: "/dkv.v1.DkvAPI/Compact",
      message: toBinary(CompactRequestSchema, create(CompactRequestSchema, { revision, wait: true })),
      timeoutSeconds: options.patienceSeconds,
    });
  } finally {
    close();
  }
}
