/** All checkers of safety, in the order in which a violation is best understood. */
import type { ConfigurationAt, EntryId, Message, Observation, RaftNode, Term } from "@dkv/raft";
import type { LogBatch } from "@dkv/server/storage/storage";
import type { MemberProcess } from "../process/member.ts";
import type { World } from "../world/world.ts";
import { Durability } from "./durability.ts";
import { ElectionSafety } from "./election-safety.ts";
import { LeaderCompleteness } from "./leader-completeness.ts";
import { LogMatching } from "./log-matching.ts";
import { checkPromise } from "./promises.ts";
import {
  checkCommit,
  checkCommitOver,
  checkElection,
  type Commitment,
  type DiskOf,
  isCommitted,
} from "./quorums.ts";
import { checkChange } from "./reconfigurations.ts";
import { StateMachineSafety } from "./state-machine.ts";
import { Steps } from "./steps.ts";

interface Reign {
  readonly term: Term;
  readonly committed: EntryId;
  readonly configuration: ConfigurationAt;
}

export class Checkers {
  readonly #world: World;
  readonly #steps = new Steps();
  readonly #elections = new ElectionSafety();
  readonly #completeness = new LeaderCompleteness();
  readonly #matching = new LogMatching();
  readonly stateMachine = new StateMachineSafety();
  readonly durability = new Durability(this.stateMachine.truth);

  readonly #diskOf: DiskOf;
  /** By term: the machine of who was elected. */
  readonly #leaders = new Map<Term, number>();
  /** What each leader knew at the end of its last step. */
  readonly #reigns = new WeakMap<RaftNode, Reign>();

  constructor(world: World, diskOf: DiskOf) {
    this.#world = world;
    this.#diskOf = diskOf;
  }

  get elections(): number {
    return this.#elections.elections;
  }

  /** The machine of the member that was elected in a term. */
  leaderOf(term: number): number | undefined {
    return this.#leaders.get(term as Term);
  }

  /** Something has happened in the member's process. Returns whether it leads, and whether since then. */
  settled({ node, life }: MemberProcess): "elected" | "leads" | "follows" {
    const seen = this.#steps.step(node);
    this.#completeness.observe(seen);
    const isElected = this.#elections.observe(seen);
    if (seen.role === "leader") this.#leads(node, seen);
    if (isElected) {
      this.#leaders.set(seen.term, life.machine);
      this.#world.probes.reached("leader elected");
      this.#world.trace.note("leads", life.machine, [seen.term, seen.last.index]);
      this.#completeness.elected(seen, (index) => node.termAt(index));
    }
    if (isElected) return "elected";
    return seen.role === "leader" ? "leads" : "follows";
  }

  /** A message leaves the member's process. */
  leaves({ storage }: MemberProcess, message: Message): void {
    checkPromise(message, { hardState: storage.durableHardState, lastIndex: storage.log.lastIndex });
  }

  /** A process has taken over what its disk holds. */
  restarted({ node }: MemberProcess, durable: NonNullable<LogBatch["hardState"]>): void {
    this.#steps.restarted(node, durable);
  }

  #leads(node: RaftNode, { id, term, committed, first }: Observation): void {
    const before = this.#reigns.get(node);
    const isSame = before?.term === term;
    const now = node.status().configuration;
    if (!isSame) checkElection({ id, term }, now.configuration, this.#diskOf);
    else if (now.index !== before.configuration.index)
      checkChange({ term, before: before.configuration, after: now, committed });
    // Until its first entry is committed, a leader knows what it knew before.
    if (isSame && committed.index > before.committed.index && committed.index >= first)
      this.#commits(node, { term, committed }, [before.configuration, now]);
    this.#reigns.set(node, { term, committed, configuration: now });
  }

  #commits(
    node: RaftNode,
    commitment: Commitment,
    [before, after]: readonly [ConfigurationAt, ConfigurationAt],
  ): void {
    const { committed } = commitment;
    const isChanged = after.index > before.index && committed.index > before.index;
    if (isChanged && !isCommitted(committed, before.configuration, this.#diskOf)) {
      const first = { index: before.index, term: node.termAt(before.index) ?? committed.term };
      const configurations = [before.configuration, after.configuration] as const;
      checkCommitOver({ ...commitment, first }, configurations, this.#diskOf);
    } else checkCommit(commitment, before.configuration, this.#diskOf);
  }

  /** A batch is durable in the member's log. */
  appended({ storage, life }: MemberProcess, { entries, hardState }: LogBatch): void {
    const [first] = entries;
    const numbers = [hardState?.term ?? 0, first?.index ?? 0, entries.length];
    this.#world.trace.note("stored", life.machine, numbers);
    if (first === undefined) return;
    this.#matching.appended(entries, storage.log.termAt((first.index - 1) as typeof first.index));
  }
}
