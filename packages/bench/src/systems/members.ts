import { createAuthority, issueCertificate } from "@dkv/certificates";
import { freePorts } from "@dkv/cluster";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert } from "../assert.ts";
import type { DoorName } from "../workload/socket-method.ts";
import type { Target } from "../http2/dial.ts";
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
  /** Of what it serves besides. */
  readonly doorAddresses: Readonly<Partial<Record<DoorName, string>>>;
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
  /** What they serve on ports of its own; nothing unless given. */
  readonly doors?: readonly DoorName[];
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
    const { doors = [] } = this.#plan;
    const portsOfOne = 2 + doors.length;
    const ports = await freePorts(portsOfOne * names.length);
    const added = names.map((name, at): readonly [Member, MemberPorts] => {
      const [client = 0, peer = 0, ...others] = ports.slice(portsOfOne * at);
      const doorPorts = Object.fromEntries(doors.map((door, place) => [door, others[place] ?? 0]));
      const member = {
        name,
        clientAddress: `${host}:${client}`,
        peerAddress: `${host}:${peer}`,
        doorAddresses: mapped(doorPorts, (port) => `${host}:${port}`),
        dataDir: join(directory, name),
        tls: secured?.files,
        cluster,
      };
      return [member, { client, doors: doorPorts }];
    });
    this.#members.push(...added.map(([member]) => member));
    const targetAt = (port: number): Target => ({ host, port, ca: secured?.ca });
    return added.map(
      ([member, { client, doors: doorPorts }]) =>
        new LocalMember({
          ...member,
          target: targetAt(client),
          doors: mapped(doorPorts, targetAt),
          command: {
            program: this.#plan.program,
            args: this.#plan.args(member, this.#members),
            directory,
          },
        }),
    );
  }
}

interface MemberPorts {
  readonly client: number;
  readonly doors: Readonly<Partial<Record<DoorName, number>>>;
}

function mapped<Result>(
  ports: MemberPorts["doors"],
  make: (port: number) => Result,
): Readonly<Partial<Record<DoorName, Result>>> {
  return Object.fromEntries(Object.entries(ports).map(([door, port]) => [door, make(port)]));
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
