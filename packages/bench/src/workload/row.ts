import { assert } from "../assert.ts";
import type { Target } from "../http2/dial.ts";
import type { LocalMember } from "../systems/local-member.ts";
import type { MemberProcess, RunningSystem, System } from "../systems/system.ts";
import { runLoad } from "./load.ts";
import type { Measurement } from "./recorder.ts";
import type { SocketMethod } from "./socket-method.ts";
import { type Usage, UsageMeter } from "./usage-meter.ts";
import type { Data, Method, WorkName } from "./work.ts";

export interface RowPlan {
  readonly system: System;
  readonly running: RunningSystem;
  /** Members of the cluster that is not under load now. */
  readonly idle: readonly MemberProcess[];
  readonly work: WorkName;
  readonly clients: number;
  readonly connections: number;
  readonly target: "leader" | "all";
  readonly data: Data;
  readonly warmupSeconds: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** One system under one work with one number of clients. */
export interface Row extends Measurement, Usage {
  readonly system: string;
  readonly work: WorkName;
  readonly clients: number;
  readonly connections: number;
  readonly seconds: number;
}

function targetOf({ target, doors }: LocalMember, method: Method | SocketMethod): Target {
  const found = "door" in method ? doors[method.door] : target;
  assert(found !== undefined, "a member has a port for what it serves");
  return found;
}

/** Measures one row. What the processes took is counted from the end of the warm-up. */
export async function measureRow(plan: RowPlan): Promise<Row> {
  const { system, running, work, clients, connections, seconds } = plan;
  const method = system.methods(plan.data.valueBytes)[work];
  const members = plan.target === "all" ? running.members : [await running.findLeader()];
  const targets = members.map((member) => targetOf(member, method));
  const meter = new UsageMeter({ members: running.members, idle: plan.idle });
  const recorder = await runLoad({
    method,
    data: plan.data,
    targets,
    clients,
    connections,
    warmupMs: plan.warmupSeconds * 1000,
    measuredMs: seconds * 1000,
    onMeasuring: () => {
      meter.start();
    },
    onMeasured: () => {
      meter.stop();
    },
    signal: plan.signal,
  }).finally(() => {
    meter.stop();
  });
  return {
    system: system.name,
    work,
    clients,
    connections,
    seconds,
    ...recorder.measurement(),
    ...meter.usage,
  };
}
