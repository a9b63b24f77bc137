import { createAuthority, issueCertificate } from "@dkv/certificates";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Target } from "../http2/dial.ts";
import { type Child, freePorts, startProcess } from "../platform/processes.ts";
import { type LeaderQuestion, waitForLeader } from "./leader.ts";
import type { RunningSystem } from "./system.ts";

const host = "127.0.0.1";

/** One member to be started, on loopback. */
export interface Member {
  readonly name: string;
  /** `host:port`. */
  readonly clientAddress: string;
  readonly peerAddress: string;
  /** Its own, and empty. */
  readonly dataDir: string;
  /** Undefined: clients and peers speak cleartext. */
  readonly tls: TlsFiles | undefined;
}

/** Files in PEM. The certificate serves towards clients and, in both directions, towards peers. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** How the members of one kind of system are started; what is the same for all kinds is below. */
export interface Plan {
  readonly names: readonly string[];
  readonly program: string;
  readonly args: (member: Member, all: readonly Member[]) => readonly string[];
  readonly isLeader: LeaderQuestion;
}

/** What is the same for every system of a run. */
export interface Surroundings {
  /** Where data is kept while the cluster runs; undefined is the system's directory for such things. */
  readonly dataRoot: string | undefined;
  /** `tls`: towards clients, and mutually between peers. */
  readonly security: "cleartext" | "tls";
  readonly signal: AbortSignal;
}

/** Starts the members as processes and waits for a leader. Nothing is left behind when it rejects. */
export async function startMembers(plan: Plan, surroundings: Surroundings): Promise<RunningSystem> {
  const { dataRoot, security, signal } = surroundings;
  const directory = await mkdtemp(join(dataRoot ?? tmpdir(), "dkv-bench-"));
  const children: Child[] = [];
  const stop = async (): Promise<void> => {
    // One by one: members that are all told at once wait for each other to take over the lead.
    for (const child of children) await child.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const secured = security === "tls" ? await makeCertificate(directory) : undefined;
    const ports = await freePorts(2 * plan.names.length);
    const members = plan.names.map((name, at) => ({
      name,
      clientAddress: `${host}:${ports[2 * at] ?? 0}`,
      peerAddress: `${host}:${ports[2 * at + 1] ?? 0}`,
      dataDir: join(directory, name),
      tls: secured?.files,
    }));
    for (const member of members) {
      const logFile = join(directory, `${member.name}.log`);
      const args = plan.args(member, members);
      children.push(await startProcess({ program: plan.program, args, directory, logFile }));
    }
    const targets = plan.names.map((_, at): Target => ({ host, port: ports[2 * at] ?? 0, ca: secured?.ca }));
    const findLeader = (): Promise<Target> => waitForLeader({ ...plan, children, targets, signal });
    await findLeader();
    return {
      targets,
      members: children.map((child, at) => ({ name: members[at]?.name ?? "", pid: child.pid })),
      findLeader,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One certificate for all members: what is measured is the work of the ciphers, not who is trusted. */
async function makeCertificate(
  directory: string,
): Promise<{ readonly files: TlsFiles; readonly ca: string }> {
  const authority = await createAuthority();
  const issued = await issueCertificate(authority, {
    commonName: "dkv-bench",
    hosts: [host],
    usages: ["serverAuth", "clientAuth"],
  });
  const files = {
    certFile: join(directory, "member.pem"),
    keyFile: join(directory, "member-key.pem"),
    caFile: join(directory, "ca.pem"),
  };
  await writeFile(files.certFile, issued.certificate);
  await writeFile(files.keyFile, issued.key, { mode: 0o600 });
  await writeFile(files.caFile, authority.certificate);
  return { files, ca: authority.certificate };
}
