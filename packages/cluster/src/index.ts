export { Cluster, type ClusterOptions, prepareCluster, startCluster } from "./cluster.ts";
export type { Flags } from "./flags.ts";
export type { Member } from "./member.ts";
export { type Child, describeEnding, type Ending, startChild } from "./platform/child.ts";
export { freePorts } from "./platform/ports.ts";
