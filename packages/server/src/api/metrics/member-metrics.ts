/**
 * What dashboards for etcd look at, by etcd's names, as far as it is true of dkv. It is counted by those
 * whose work it is, or asked for when somebody looks: no request is slower for it.
 */
import type { Member } from "../../consensus/member.ts";
import type { ProcessFacts } from "../../platform/process-facts.ts";
import type { Versions } from "../versions.ts";
import type { Measurement } from "./exposition.ts";

/** Rejects with a DkvError. */
export async function memberMetrics(
  member: Pick<Member, "status" | "details">,
  versions: Versions,
): Promise<readonly Measurement[]> {
  const details = await member.details();
  const { leaderId, memberId, appliedIndex, revision, role } = member.status();
  return [
    ...identity(memberId, versions),
    gauge("etcd_server_has_leader", "Whether a leader is known.", Number(leaderId !== undefined)),
    gauge("etcd_server_is_leader", "Whether this member leads.", Number(role === "leader")),
    gauge("etcd_server_is_learner", "Whether this member is a learner.", Number(details.isLearner)),
    counter("etcd_server_leader_changes_seen_total", "Leaders that came.", details.leaderChanges),
    gauge(
      "etcd_server_proposals_committed_total",
      "Index of the last entry that is known to be committed.",
      details.commitIndex,
    ),
    gauge("etcd_server_proposals_applied_total", "Index of the last entry that was applied.", appliedIndex),
    gauge(
      "etcd_server_proposals_pending",
      "Writes that clients of this member wait for.",
      details.waitingWrites,
    ),
    counter(
      "etcd_server_proposals_failed_total",
      "Writes whose outcome clients of this member were not told.",
      details.failedWrites,
    ),
    gauge("etcd_server_quota_backend_bytes", "Bytes that the state may have; 0: any.", details.quotaBytes),
    gauge("etcd_mvcc_db_total_size_in_bytes", "Bytes of the state on disk.", details.dataBytes),
    gauge("etcd_mvcc_db_total_size_in_use_in_bytes", "The same: none are reserved.", details.dataBytes),
    gauge("etcd_debugging_mvcc_current_revision", "Revision of the store.", revision),
    gauge(
      "etcd_debugging_mvcc_compact_revision",
      "The oldest revision that can be read.",
      details.compactRevision,
    ),
    gauge("dkv_log_size_in_bytes", "Bytes of the log on disk.", details.logBytes),
  ];
}

export function processMetrics(facts: ProcessFacts): readonly Measurement[] {
  const { cpuSeconds, residentBytes, startedAtSeconds, openFiles, maxFiles } = facts;
  return [
    counter("process_cpu_seconds_total", "Time of processors that was used.", cpuSeconds),
    gauge("process_resident_memory_bytes", "Memory that is in use.", residentBytes),
    gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.", startedAtSeconds),
    ...(openFiles === undefined ? [] : [gauge("process_open_fds", "Files that are open.", openFiles)]),
    ...(maxFiles === undefined ? [] : [gauge("process_max_fds", "Files that may be open.", maxFiles)]),
  ];
}

function identity(memberId: bigint, { dkv, etcd }: Versions): readonly Measurement[] {
  const cluster = etcd.replace(/\.\d+$/, "");
  return [
    named("etcd_server_id", "This member, in hexadecimal.", { server_id: memberId.toString(16) }),
    named("etcd_server_version", "The etcd that this member behaves like.", { server_version: etcd }),
    named("etcd_cluster_version", "The etcd that the cluster behaves like.", { cluster_version: cluster }),
    named("dkv_version", "The dkv that runs.", { version: dkv }),
  ];
}

const named = (name: string, help: string, labels: Readonly<Record<string, string>>): Measurement => ({
  name,
  help,
  type: "gauge",
  values: [{ labels, value: 1 }],
});

const gauge = (name: string, help: string, value: number): Measurement => ({
  name,
  help,
  type: "gauge",
  values: [{ value }],
});

const counter = (name: string, help: string, value: number): Measurement => ({
  ...gauge(name, help, value),
  type: "counter",
});
