import { createAuthority, issueCertificate } from "@dkv/certificates";
import { freePorts } from "@dkv/cluster";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert } from "../assert.ts";
import { type LeaderQuestion, waitForLeader } from "./leader.ts";
import { LocalMember } from "./local-member.ts";
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
  /** Whether its cluster is made now, or was there before it. */
  readonly cluster: "new" | "existing";
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
  const members: LocalMember[] = [];
  const stop = async (): Promise<void> => {
    // One by one: members that are all told at once wait for each other to take over the lead.
    for (const member of members) await member.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const secured = security === "tls" ? await makeCertificate(directory) : undefined;
    const roster = new Roster(plan, { directory, secured });
    members.push(...(await roster.add(plan.names, "new")));
    for (const member of members) await member.start();
    const findLeader = (): Promise<LocalMember> =>
      waitForLeader({ members, isLeader: plan.isLeader, signal });
    await findLeader();
    return {
      members,
      findLeader,
      addMember: async (name) => {
        const added = await roster.add([name], "existing");
        members.push(...added);
        return firstOf(added);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Knows all members of a cluster, so that each can be told of the others. */
class Roster {
  readonly #plan: Plan;
  readonly #place: { readonly directory: string; readonly secured: Secured | undefined };
  readonly #members: Member[] = [];

  constructor(plan: Plan, place: { readonly directory: string; readonly secured: Secured | undefined }) {
    this.#plan = plan;
    this.#place = place;
  }

  /** Makes members ready to be started. */
  async add(names: readonly string[], cluster: Member["cluster"]): Promise<readonly LocalMember[]> {
    const { directory, secured } = this.#place;
    const ports = await freePorts(2 * names.length);
    const added = names.map((name, at): readonly [Member, number] => {
      const clientPort = ports[2 * at] ?? 0;
      const member = {
        name,
        clientAddress: `${host}:${clientPort}`,
        peerAddress: `${host}:${ports[2 * at + 1] ?? 0}`,
        dataDir: join(directory, name),
        tls: secured?.files,
        cluster,
      };
      return [member, clientPort];
    });
    this.#members.push(...added.map(([member]) => member));
    return added.map(
      ([member, port]) =>
        new LocalMember({
          ...member,
          target: { host, port, ca: secured?.ca },
          command: {
            program: this.#plan.program,
            args: this.#plan.args(member, this.#members),
            directory,
          },
        }),
    );
  }
}

function firstOf(members: readonly LocalMember[]): LocalMember {
  const [first] = members;
  assert(first !== undefined, "there is a member");
  return first;
}

/** Certificates as files, and the authority as clients take it. */
interface Secured {
  readonly files: TlsFiles;
  readonly ca: string;
}

/** One certificate for all members: what is measured is the work of the ciphers, not who is trusted. */
async function makeCertificate(directory: string): Promise<Secured> {
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
