/** What simulates, loaded behind the hooks that give the transport its network. */
import "../src/hooks.ts";

export const { simulate } = await import("../src/simulation.ts");
export const { SimStorage } = await import("../src/disk/sim-storage.ts");
export const { calmSwarm, drawSwarm } = await import("../src/faults/swarm.ts");
export const { schedule } = await import("../src/faults/schedule.ts");
export const { shrink } = await import("../src/shrink/shrink.ts");
export const { SoakSummary } = await import("../src/report/soak-summary.ts");
export const { applyFaults, heal } = await import("../src/faults/apply.ts");
export const { failureReport, replayCommand, successLine } = await import("../src/report/report.ts");
export const { command } = await import("../src/command.ts");
export const { setStage } = await import("../src/network/node-net.ts");
export const { addressOf, Cluster } = await import("../src/process/cluster.ts");
export const { recover } = await import("../src/recovery.ts");
export const { checkStates } = await import("../src/workload/state-check.ts");
export const { stageFor } = await import("../src/stage.ts");
