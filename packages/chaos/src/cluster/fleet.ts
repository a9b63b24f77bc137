/** The members as processes, and who of them may end when. */
import { type Cluster, describeEnding, type Flags, type Member } from "@dkv/cluster";

/** Something that must not happen to a sound cluster, whatever was done to it. */
export class Trouble extends Error {
  override readonly name = "Trouble";
}

/** Why it has ended, by its own account or that of the runtime, whichever came last. */
export function lastWords({ log }: Member): string {
  const words = log.findLast((line) => /^(?:dkv: |\w*Error: )/.test(line)) ?? log.at(-1) ?? "";
  return words.slice(0, 500);
}

export interface Life {
  readonly flags?: Flags;
  readonly env?: Readonly<Record<string, string>>;
}

export class Fleet {
  readonly cluster: Cluster;
  readonly #onTrouble: (trouble: Trouble) => void;
  /** For how many reasons. */
  readonly #mayEnd = new Map<Member, number>();
  /** Those that leave the cluster too, until their processes have ended. */
  readonly #processes = new Set<Member>();
  #newcomers = 0;

  /** `onTrouble` is told of every member that ends though nobody has ended it. */
  constructor(cluster: Cluster, onTrouble: (trouble: Trouble) => void) {
    this.cluster = cluster;
    this.#onTrouble = onTrouble;
  }

  get members(): readonly Member[] {
    return this.cluster.members;
  }

  get running(): readonly Member[] {
    return this.members.filter(({ isRunning }) => isRunning);
  }

  /** All that run, of the cluster or about to leave it. */
  get processes(): readonly Member[] {
    return [...this.#processes];
  }

  /** The one that a majority follows, if it is known. */
  async leader(): Promise<Member | undefined> {
    const name = await this.cluster.leader();
    return this.running.find((member) => member.name === name);
  }

  /** A further one under a name that nobody has had; it does not run. */
  async newMember(): Promise<Member> {
    this.#newcomers += 1;
    return this.cluster.newMember(`dkv-new-${String(this.#newcomers)}`);
  }

  /** Starts it, and resolves once it answers its clients, or has ended if it may. */
  async start(member: Member, { flags = {}, env = {} }: Life = {}): Promise<void> {
    member.start(flags, env);
    this.#processes.add(member);
    const ended = member.waitForEnd();
    ended.then(
      (ending) => {
        this.#processes.delete(member);
        if (this.#isFreeToEnd(member)) return;
        const how = `${describeEnding(ending)}: ${lastWords(member)}`;
        this.#onTrouble(new Trouble(`${member.name} ended by itself ${how}`));
      },
      (error: unknown) => this.#onTrouble(new Trouble(String(error))),
    );
    try {
      await member.waitReady();
    } catch (error) {
      if (!this.#isFreeToEnd(member)) throw error;
    }
  }

  /** Starts all that do not run. */
  async startAll(): Promise<void> {
    const idle = this.members.filter(({ isRunning }) => !isRunning);
    await Promise.all(idle.map((member) => this.start(member)));
  }

  async kill(member: Member): Promise<void> {
    if (!member.isRunning) return;
    const insist = this.letEnd(member);
    await member.kill();
    insist();
  }

  async killAll(): Promise<void> {
    await Promise.all(this.running.map((member) => this.kill(member)));
  }

  /** Leaves nobody behind, those that were about to leave the cluster included. */
  async endAll(): Promise<void> {
    await Promise.all(this.processes.map((member) => this.kill(member)));
  }

  /** The member may end by itself until the returned function is called. */
  letEnd(member: Member): () => void {
    this.#mayEnd.set(member, (this.#mayEnd.get(member) ?? 0) + 1);
    return () => {
      const left = (this.#mayEnd.get(member) ?? 0) - 1;
      if (left > 0) this.#mayEnd.set(member, left);
      else this.#mayEnd.delete(member);
    };
  }

  #isFreeToEnd(member: Member): boolean {
    return this.#mayEnd.has(member);
  }
}
