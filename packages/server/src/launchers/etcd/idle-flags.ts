/** Flags of etcd that mean nothing here: some make no difference, some somebody relies on. */
import type { EtcdFlag } from "./flags.ts";

type Kind = EtcdFlag["kind"];

const ignored = (kind: Kind, fallback: string, because: string) =>
  ({ kind, default: fallback, describe: "", fate: { kind: "ignored", because } }) as const;

const refused = (kind: Kind, fallback: string, instead: string) =>
  ({
    kind,
    default: fallback,
    describe: "",
    fate: { kind: "refused", instead, unless: [fallback] },
  }) as const;

/** One for which several values do no harm. */
const refusedUnless = (unless: readonly [string, ...string[]], instead: string) =>
  ({ kind: "text", default: unless[0], describe: "", fate: { kind: "refused", instead, unless } }) as const;

export const idleFlags = {
  "max-snapshots": ignored("text", "5", "there are no such files: what is needed is kept, and nothing else"),
  "max-wals": ignored("text", "5", "there are no such files: what is needed is kept, and nothing else"),
  "wal-dir": refused(
    "text",
    "",
    "the log is always below --data-dir: leave it out, and put that on the fast disk",
  ),
  "initial-election-tick-advance": ignored("switch", "true", "who starts waits for a leader first"),
  "max-concurrent-streams": ignored(
    "text",
    "4294967295",
    "a connection has at most as many as dkv allows on any",
  ),
  "grpc-keepalive-min-time": ignored("text", "5s", "clients may ping as they like, but for a flood"),
  "grpc-keepalive-interval": ignored("text", "2h", "dead connections are found by TCP, after half a minute"),
  "grpc-keepalive-timeout": ignored("text", "20s", "dead connections are found by TCP, after half a minute"),
  "backend-batch-interval": ignored("text", "", "the state is not kept in bbolt"),
  "backend-batch-limit": ignored("text", "0", "the state is not kept in bbolt"),
  "backend-bbolt-freelist-type": ignored("text", "map", "the state is not kept in bbolt"),
  "experimental-backend-bbolt-freelist-type": ignored("text", "array", "the state is not kept in bbolt"),
  "socket-reuse-port": ignored("switch", "false", "an address belongs to one process"),
  "socket-reuse-address": ignored("switch", "false", "it is always so"),
  "raft-read-timeout": ignored("text", "5s", "a silent connection between members ends after 5 s"),
  "raft-write-timeout": ignored("text", "5s", "a silent connection between members ends after 5 s"),
  "strict-reconfig-check": ignored(
    "switch",
    "true",
    "it is always on: what would lose the quorum is refused; dkv --help says how to go on after it is lost",
  ),
  "pre-vote": ignored("switch", "true", "there is always one"),
  "enable-grpc-gateway": ignored("switch", "true", "what is served is served on all ports"),
  "enable-v2": refused(
    "switch",
    "false",
    "only version 3 of the API is served: leave it out, and let its clients use version 3",
  ),
  "experimental-enable-v2v3": refused(
    "text",
    "",
    "only version 3 of the API is served: leave it out, and let its clients use version 3",
  ),
  "v2-deprecation": ignored("text", "not-yet", "there is no version 2 here"),
  discovery: refused("text", "", "name the members with --initial-cluster"),
  "discovery-srv": refused("text", "", "name the members with --initial-cluster"),
  "discovery-srv-name": refused("text", "", "name the members with --initial-cluster"),
  "discovery-fallback": ignored("text", "proxy", "there is no discovery"),
  "discovery-proxy": ignored("text", "", "there is no discovery"),
  "discovery-token": refused("text", "", "name the members with --initial-cluster"),
  "discovery-endpoints": refused("text", "", "name the members with --initial-cluster"),
  "discovery-dial-timeout": ignored("text", "", "there is no discovery"),
  "discovery-request-timeout": ignored("text", "", "there is no discovery"),
  "discovery-keepalive-time": ignored("text", "", "there is no discovery"),
  "discovery-keepalive-timeout": ignored("text", "", "there is no discovery"),
  "discovery-cert": ignored("text", "", "there is no discovery"),
  "discovery-key": ignored("text", "", "there is no discovery"),
  "discovery-cacert": ignored("text", "", "there is no discovery"),
  "discovery-user": ignored("text", "", "there is no discovery"),
  "discovery-password": ignored("text", "", "there is no discovery"),
  "discovery-insecure-transport": ignored("switch", "true", "there is no discovery"),
  "discovery-insecure-skip-tls-verify": ignored("switch", "false", "there is no discovery"),
  proxy: refusedUnless(
    ["off", "false"],
    "dkv-etcd runs members only: etcd's own grpc-proxy works in front of them",
  ),
  "proxy-failure-wait": ignored("text", "5000", "there is no proxy for version 2"),
  "proxy-refresh-interval": ignored("text", "30000", "there is no proxy for version 2"),
  "proxy-dial-timeout": ignored("text", "1000", "there is no proxy for version 2"),
  "proxy-write-timeout": ignored("text", "5000", "there is no proxy for version 2"),
  "proxy-read-timeout": ignored("text", "0", "there is no proxy for version 2"),
  "client-cert-file": ignored("text", "", "a member is no client of its own gateway"),
  "client-key-file": ignored("text", "", "a member is no client of its own gateway"),
  "peer-client-cert-file": refused(
    "text",
    "",
    "members dial with --peer-cert-file: give it one for servers and clients",
  ),
  "peer-client-key-file": refused("text", "", "members dial with --peer-key-file"),
  "self-signed-cert-validity": ignored(
    "text",
    "1",
    "certificates that are made last 825 days, and are made anew at a start in the last 30",
  ),
  "experimental-peer-skip-client-san-verification": refused(
    "switch",
    "false",
    "members' certificates must name their hosts or their names: give them such, and leave it out",
  ),
  "peer-skip-client-san-verification": refused(
    "switch",
    "false",
    "members' certificates must name their hosts or their names: give them such, and leave it out",
  ),
  cors: refusedUnless(
    ["*", ""],
    "nothing is served to pages of other origins: leave it out, and put a proxy in front that says who may",
  ),
  "host-whitelist": refusedUnless(
    ["*", ""],
    "nobody is turned away for the Host that he asks for: leave it out, and give --cert-file and --trusted-ca-file",
  ),
  "enable-pprof": ignored("switch", "false", "there are no profiles of a program in Go"),
  metrics: ignored("text", "basic", "there is one set of metrics"),
  "log-package-levels": ignored("text", "", "there is one level for all: --log-level"),
  "enable-log-rotation": refused(
    "switch",
    "false",
    "let logrotate do it, with copytruncate, or log to stderr",
  ),
  "log-rotation-config-json": ignored("text", "", "it says nothing without --enable-log-rotation"),
  "experimental-initial-corrupt-check": ignored(
    "switch",
    "false",
    "every record has a checksum, and is not believed without it",
  ),
  "experimental-compact-hash-check-enabled": ignored(
    "switch",
    "false",
    "see --experimental-corrupt-check-time",
  ),
  "experimental-compact-hash-check-time": ignored("text", "1m", "see --experimental-corrupt-check-time"),
  "compact-hash-check-time": ignored("text", "1m", "see --corrupt-check-time"),
  "experimental-enable-lease-checkpoint": ignored(
    "switch",
    "false",
    "leases always keep what time they have left",
  ),
  "experimental-enable-lease-checkpoint-persist": ignored(
    "switch",
    "false",
    "leases always keep what time they have left",
  ),
  "experimental-compaction-batch-limit": ignored(
    "text",
    "1000",
    "history is removed in small pieces in any case",
  ),
  "compaction-batch-limit": ignored("text", "1000", "history is removed in small pieces in any case"),
  "experimental-compaction-sleep-interval": ignored(
    "text",
    "10ms",
    "history is removed in small pieces in any case",
  ),
  "compaction-sleep-interval": ignored("text", "10ms", "history is removed in small pieces in any case"),
  "experimental-downgrade-check-time": ignored("text", "5s", "there is nothing to go back to"),
  "downgrade-check-time": ignored("text", "5s", "there is nothing to go back to"),
  "experimental-warning-apply-duration": ignored("text", "100ms", "slow requests are not logged"),
  "warning-apply-duration": ignored("text", "100ms", "slow requests are not logged"),
  "experimental-warning-unary-request-duration": ignored("text", "300ms", "slow requests are not logged"),
  "warning-unary-request-duration": ignored("text", "300ms", "slow requests are not logged"),
  "experimental-memory-mlock": ignored(
    "switch",
    "false",
    "the state is on disk, and in memory only what is asked for",
  ),
  "memory-mlock": ignored("switch", "false", "the state is on disk, and in memory only what is asked for"),
  "experimental-txn-mode-write-with-shared-buffer": ignored(
    "switch",
    "true",
    "the state is not kept in bbolt",
  ),
  "experimental-stop-grpc-service-on-defrag": ignored("switch", "false", "defragmentation takes no time"),
  "experimental-bootstrap-defrag-threshold-megabytes": ignored(
    "text",
    "0",
    "space is given back all the time",
  ),
  "bootstrap-defrag-threshold-megabytes": ignored("text", "0", "space is given back all the time"),
  "experimental-max-learners": ignored("text", "1", "one may be added as such at a time"),
  "max-learners": ignored("text", "1", "one may be added as such at a time"),
  "experimental-wait-cluster-ready-timeout": ignored(
    "text",
    "5s",
    "clients are answered as soon as there is a leader",
  ),
  "experimental-set-member-localaddr": ignored(
    "switch",
    "false",
    "members are dialled from whatever address the system takes",
  ),
  "experimental-enable-distributed-tracing": refused("switch", "false", "nothing is traced: leave it out"),
  "enable-distributed-tracing": refused("switch", "false", "nothing is traced: leave it out"),
  "experimental-distributed-tracing-address": ignored("text", "localhost:4317", "nothing is traced"),
  "experimental-distributed-tracing-service-name": ignored("text", "etcd", "nothing is traced"),
  "experimental-distributed-tracing-instance-id": ignored("text", "", "nothing is traced"),
  "experimental-distributed-tracing-sampling-rate": ignored("text", "0", "nothing is traced"),
  "distributed-tracing-address": ignored("text", "localhost:4317", "nothing is traced"),
  "distributed-tracing-service-name": ignored("text", "etcd", "nothing is traced"),
  "distributed-tracing-instance-id": ignored("text", "", "nothing is traced"),
  "distributed-tracing-sampling-rate": ignored("text", "0", "nothing is traced"),
  "feature-gates": ignored("text", "", "they are of etcd's own making"),
  "unsafe-no-fsync": ignored("switch", "false", "everything that is acknowledged is on the disk"),
} as const satisfies Record<string, EtcdFlag>;
