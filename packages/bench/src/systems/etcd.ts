import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { callOnce } from "../grpc/unary.ts";
import type { Target } from "../http2/dial.ts";
import { decodeStatus } from "./etcd-messages.ts";
import { etcdMethods } from "./etcd-methods.ts";
import { type Member, startMembers, type TlsFiles } from "./members.ts";
import type { System } from "./system.ts";

/** Far above what a run writes; etcd's own default of 2 GiB can be reached by a long one. */
const quotaBytes = 8 * 1024 ** 3;
const timeoutMs = 2_000;

/**
 * Three etcd members on loopback, with etcd's own settings for everything that bears on speed, unless `flags`
 * say otherwise.
 */
export function etcd(flags: readonly string[] = []): System {
  const args = (member: Member, all: readonly Member[]): readonly string[] => [
    ...etcdArguments(member, all),
    ...flags,
  ];
  return {
    name: "etcd",
    methods: etcdMethods,
    start: (surroundings) =>
      startMembers({ names: ["etcd1", "etcd2", "etcd3"], program: "etcd", args, isLeader }, surroundings),
  };
}

/** The version of the `etcd` on the PATH; undefined where there is none. */
export async function etcdVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("etcd", ["--version"]);
    return /^etcd Version: (.+)$/m.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

function etcdArguments(member: Member, all: readonly Member[]): readonly string[] {
  const scheme = member.tls === undefined ? "http" : "https";
  const clientUrl = `${scheme}://${member.clientAddress}`;
  const peerUrl = `${scheme}://${member.peerAddress}`;
  return [
    `--name=${member.name}`,
    `--data-dir=${member.dataDir}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=${all.map(({ name, peerAddress }) => `${name}=${scheme}://${peerAddress}`).join(",")}`,
    `--initial-cluster-state=${member.cluster}`,
    `--quota-backend-bytes=${quotaBytes}`,
    ...(member.tls === undefined ? [] : tlsArguments(member.tls)),
  ];
}

function tlsArguments({ certFile, keyFile, caFile }: TlsFiles): readonly string[] {
  return [
    `--cert-file=${certFile}`,
    `--key-file=${keyFile}`,
    `--peer-cert-file=${certFile}`,
    `--peer-key-file=${keyFile}`,
    `--peer-trusted-ca-file=${caFile}`,
    "--peer-client-cert-auth",
  ];
}

async function isLeader(target: Target): Promise<boolean> {
  const path = "/etcdserverpb.Maintenance/Status";
  const status = decodeStatus(await callOnce(target, { path, message: new Uint8Array(), timeoutMs }));
  return status.leaderId !== 0n && status.leaderId === status.memberId;
}
