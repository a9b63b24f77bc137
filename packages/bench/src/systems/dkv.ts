import { fileURLToPath } from "node:url";
import { callOnce } from "../grpc/unary.ts";
import type { Target } from "../http2/dial.ts";
import { dkvMethods, saysItLeads } from "./dkv-messages.ts";
import { doorNames } from "../workload/socket-method.ts";
import { type Member, startMembers, type TlsFiles } from "./members.ts";
import type { System } from "./system.ts";

const program = fileURLToPath(new URL("../../../server/bin/dkv.js", import.meta.url));
const timeoutMs = 2_000;

/** What Node is to run a member with, if not with nothing. */
export type NodeArguments = (member: Pick<Member, "name" | "dataDir">) => readonly string[];

/** What bin/dkv.js has Node begin with, and in what environment. */
const ownNodeArguments = ["--max-semi-space-size=16", "--heap-growing-percent=70"];
const ownEnvironment = "MALLOC_ARENA_MAX=2";

/**
 * Three dkv members on loopback, with dkv's own settings for everything that bears on speed, unless `flags`
 * say otherwise.
 *
 * Each leaves a CPU profile of its whole life in `profileDir`, unless that is undefined.
 */
export function dkv(
  profileDir: string | undefined,
  flags: readonly string[] = [],
  nodeArguments?: NodeArguments,
): System {
  const isPlain = profileDir === undefined && nodeArguments === undefined;
  const args = (member: Member, all: readonly Member[]): readonly string[] => [
    ...(isPlain ? [] : [ownEnvironment, process.execPath, ...ownNodeArguments]),
    ...(profileDir === undefined ? [] : profileArguments(profileDir, member)),
    ...(nodeArguments?.(member) ?? []),
    ...(isPlain ? [] : [program]),
    ...dkvArguments(member, all),
    ...flags,
  ];
  return {
    name: "dkv",
    methods: dkvMethods,
    start: (surroundings) =>
      startMembers(
        {
          names: ["dkv1", "dkv2", "dkv3"],
          // It becomes the process that it starts.
          program: isPlain ? program : "/usr/bin/env",
          args,
          doors: doorNames,
          isLeader,
        },
        surroundings,
      ),
  };
}

function dkvArguments(member: Member, all: readonly Member[]): readonly string[] {
  return [
    `--name=${member.name}`,
    `--data-dir=${member.dataDir}`,
    `--listen-client-address=${member.clientAddress}`,
    `--listen-peer-address=${member.peerAddress}`,
    ...Object.entries(member.doorAddresses).map(([door, address]) => `--listen-${door}-address=${address}`),
    `--initial-cluster=${all.map(({ name, peerAddress }) => `${name}=${peerAddress}`).join(",")}`,
    `--initial-cluster-state=${member.cluster}`,
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
  ];
}

function profileArguments(directory: string, { name }: Member): readonly string[] {
  return ["--cpu-prof", `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${name}.cpuprofile`];
}

async function isLeader(target: Target): Promise<boolean> {
  const path = "/dkv.v1.MembershipAPI/GetServers";
  return saysItLeads(await callOnce(target, { path, message: new Uint8Array(), timeoutMs }));
}
