/**
 * Every flag of etcd, from 3.4 on, with what becomes of it. The help, the environment, the config file and a
 * table of the documentation are read off it.
 */
import type { GoFlag } from "../go-flags.ts";
import { idleFlags } from "./idle-flags.ts";

/** What becomes of a flag that is given. */
export type Fate =
  /** It means what it means to etcd; `describe` says what that is. */
  | { readonly kind: "heeded" }
  /** It makes no difference here, which is said in a line if it is given as anything but its default. */
  | { readonly kind: "ignored"; readonly because: string }
  /** Whoever gives it relies on what is not done here: the member does not start, unless it is one of these. */
  | { readonly kind: "refused"; readonly instead: string; readonly unless: readonly string[] };

export interface EtcdFlag extends GoFlag {
  readonly fate: Fate;
}

const fate: Fate = { kind: "heeded" };
const text = (fallback: string, describe: string) =>
  ({ kind: "text", default: fallback, describe, fate }) as const;
const onOff = (describe: string) => ({ kind: "switch", default: "false", describe, fate }) as const;

const heededFlags = {
  "config-file": text(
    "",
    "YAML file with the values of all flags; others and the environment are then not looked at",
  ),
  version: onOff("print the version and end"),
  name: text("default", "name of this member"),
  "data-dir": text("", "directory of this member; NAME.etcd unless given"),
  "listen-peer-urls": text("http://localhost:2380", "URLs to listen on for the other members"),
  "listen-client-urls": text("http://localhost:2379", "URLs to listen on for clients"),
  "listen-client-http-urls": text("", "more of them: all are served alike"),
  "listen-metrics-urls": text("", "URLs to listen on for those who ask for health and metrics"),
  "snapshot-count": text("", "entries applied since the log was compacted last, after which it is compacted"),
  "heartbeat-interval": text("100", "milliseconds between two heartbeats of a leader"),
  "election-timeout": text("1000", "milliseconds of silence of a leader after which another one is elected"),
  "quota-backend-bytes": text(
    "0",
    "bytes of state above which writes are refused; 0 for 2 GiB, below 0 for no limit",
  ),
  "max-txn-ops": text("128", "operations of a transaction, at most"),
  "max-request-bytes": text("1572864", "bytes of a request, at most; no more than 32 MiB"),
  "initial-advertise-peer-urls": text(
    "",
    "URLs at which the others reach this member; of several the first in order",
  ),
  "advertise-client-urls": text("", "URLs that clients are told of this member"),
  "initial-cluster": text(
    "",
    "all members of a new cluster, as NAME=URL,...; of an existing one some that can be asked",
  ),
  "initial-cluster-state": text("new", "new, or existing for a member that was added to a cluster"),
  "initial-cluster-token": text("etcd-cluster", "tells clusters with the same members apart"),
  "auto-compaction-mode": text("periodic", "periodic or revision"),
  "auto-compaction-retention": text(
    "0",
    "how much history is kept: 5m, 1 for an hour, or so many revisions; 0 for all",
  ),
  "cert-file": text("", "certificate for clients, PEM"),
  "key-file": text("", "its key"),
  "client-cert-auth": onOff("whether clients need a certificate; needs --trusted-ca-file"),
  "client-crl-file": text(
    "",
    "revoked certificates of clients, PEM or DER; signed by their CA and not expired",
  ),
  "client-cert-allowed-hostname": text("", "hosts that clients' certificates may be for"),
  "trusted-ca-file": text("", "CA of the clients' certificates, which they then need"),
  "auto-tls": onOff("TLS for clients with a certificate that is made in --data-dir, with its CA beside it"),
  "peer-cert-file": text("", "certificate for the other members, PEM"),
  "peer-key-file": text("", "its key"),
  "peer-client-cert-auth": onOff("members always need a certificate where they have a CA"),
  "peer-trusted-ca-file": text("", "CA of the members' certificates; TLS between members needs one"),
  "peer-crl-file": text(
    "",
    "revoked certificates of members, PEM or DER; signed by their CA and not expired",
  ),
  "peer-cert-allowed-cn": text("", "common names that members' certificates may have"),
  "peer-cert-allowed-hostname": text("", "hosts that members' certificates may be for"),
  "peer-auto-tls": onOff("TLS between members with certificates that each makes itself: it proves nothing"),
  "cipher-suites": text("", "cipher suites that may be used, besides those of TLS 1.3"),
  "tls-min-version": text("TLS1.2", "oldest version of TLS: TLS1.2 or TLS1.3"),
  "tls-max-version": text("", "newest version of TLS: TLS1.2 or TLS1.3"),
  "auth-token": text("simple", "how users prove who they are once they have: simple or jwt,..."),
  "bcrypt-cost": text("10", "how hard passwords are to guess"),
  "auth-token-ttl": text("300", "seconds after which a simple token is forgotten"),
  logger: text("zap", "lines are JSON with the names that zap gives its fields, whatever this says"),
  "log-outputs": text("default", "stderr, stdout, or files"),
  "log-level": text("info", "debug, info, warn, error; panic and fatal mean error"),
  "log-format": text("json", "json or console"),
  debug: onOff("as --log-level=debug"),
  "experimental-corrupt-check-time": text(
    "0s",
    "how often members compare what they have stored; 0 for never",
  ),
  "corrupt-check-time": text("0s", "the same"),
  "experimental-watch-progress-notify-interval": text(
    "10m",
    "how often watches are told how far they are, if asked for",
  ),
  "watch-progress-notify-interval": text("10m", "the same"),
  "experimental-snapshot-catchup-entries": text(
    "5000",
    "entries that compaction of the log keeps for slow members",
  ),
  "snapshot-catchup-entries": text("5000", "the same"),
  "force-new-cluster": onOff("go on as the only member of the cluster, with the data in --data-dir"),
} as const satisfies Record<string, EtcdFlag>;

export type HeededName = keyof typeof heededFlags;
export type EtcdFlagName = HeededName | keyof typeof idleFlags;

export const etcdFlags: Readonly<Record<EtcdFlagName, EtcdFlag>> = { ...heededFlags, ...idleFlags };

export const etcdFlagNames = Object.keys(etcdFlags) as readonly EtcdFlagName[];

/** ETCD_DATA_DIR for data-dir. */
export const etcdVariable = (name: string): string => `ETCD_${name.toUpperCase().replaceAll("-", "_")}`;
