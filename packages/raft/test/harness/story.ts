/**
 * The commands of a script, and what they do to a cluster. test/scripts/README.md explains them.
 */
import { assert } from "../../src/assert.ts";
import { membersOf } from "../../src/configuration/configuration.ts";
import { formatEntryId, formatHardState, formatMessage, formatNode, formatState } from "../../src/format.ts";
import type { Message } from "../../src/messages.ts";
import type { TraceEvent } from "../../src/trace.ts";
import { type Entry, logIndex, type NodeId, readContext, term } from "../../src/types.ts";
import { entry, members, n } from "../solo.ts";
import { Arguments } from "./arguments.ts";
import { Cluster, type Limits } from "./cluster.ts";
import type { Stored } from "./disk.ts";
import { type Commands, membershipCommands } from "./membership-commands.ts";
import type { Pattern } from "./network.ts";
import { tellLog } from "./telling.ts";

const defaults: Limits = {
  electionTicks: 10,
  heartbeatTicks: 3,
  maxInflightMessages: 16,
  maxInflightBytes: 1 << 20,
  maxAppendBytes: 1 << 16,
  maxUncommittedBytes: 1 << 20,
  maxCommittedBytes: 1 << 20,
};

/** Runs commands one after the other on one cluster, and collects what there is to tell. */
export class Story {
  #cluster: Cluster | undefined;
  #lines: string[] = [];
  readonly #hear: (event: TraceEvent | Message) => void;

  constructor(hear: (event: TraceEvent | Message) => void) {
    this.#hear = hear;
  }

  /** Runs one command, such as `propose 1 x`. Returns what it printed. */
  run(command: string): readonly string[] {
    const args = new Arguments(command);
    const perform = this.#commands[args.name];
    assert(perform !== undefined, `there is a command ${args.name}`);
    perform(args);
    args.checkUsed();
    return this.#lines.splice(0);
  }

  /** What was told before something went wrong in the middle of a command. */
  unread(): readonly string[] {
    return this.#lines.splice(0);
  }

  /** The last word: what must be true of the whole at the end. */
  end(): void {
    this.#cluster?.checks.checkDurability();
  }

  get #the(): Cluster {
    assert(this.#cluster !== undefined, "a script begins with a cluster");
    return this.#cluster;
  }

  readonly #commands: Commands = {
    ...membershipCommands({
      the: () => this.#the,
      print: (line) => {
        this.#print(line);
      },
    }),
    cluster: (args) => {
      this.#create(args);
    },
    store: (args) => {
      const id = args.node();
      this.#the.crash(id, "lost");
      this.#the.adopt(id, storedFrom(args));
    },
    tick: (args) => {
      const id = args.node();
      for (let times = args.optionalCount(); times > 0; times -= 1) this.#the.tick(id);
    },
    wait: (args) => {
      for (let times = args.optionalCount(); times > 0; times -= 1) this.#the.pass();
    },
    campaign: (args) => {
      this.#the.campaign(args.node());
    },
    propose: (args) => {
      const waiting = args.optionalNumber("for");
      const onBehalfOf = waiting === undefined ? undefined : n(waiting);
      const result = this.#the.propose(args.node(), args.rest(), onBehalfOf);
      this.#print(
        result.kind === "accepted"
          ? `accepted from ${formatEntryId({ index: result.first, term: result.term })}`
          : `dropped: ${result.because}`,
      );
    },
    read: (args) => {
      const result = this.#the.readIndex(args.node(), readContext(BigInt(args.count())));
      if (result.kind === "dropped") this.#print(`dropped: ${result.because}`);
    },
    transfer: (args) => {
      const result = this.#the.transferLeadership(args.node(), args.node());
      if (result.kind === "dropped") this.#print(`dropped: ${result.because}`);
    },
    deliver: (args) => {
      const pattern = args.pattern();
      if (pattern === undefined) this.#the.settle();
      else for (const message of this.#the.network.take(pattern)) this.#the.deliver(message);
    },
    append: (args) => {
      this.#sendEmptyAppend(args);
    },
    drop: (args) => {
      this.#forMatching(args, (pattern) => {
        for (const message of this.#the.network.take(pattern)) this.#print(formatMessage(message, "↛"));
      });
    },
    duplicate: (args) => {
      const copiesAre = args.flag("late") ? "held" : "travelling";
      this.#forMatching(args, (pattern) => {
        for (const message of this.#the.network.duplicate(pattern, copiesAre)) {
          this.#print(formatMessage(message, copiesAre === "held" ? "⇢" : "⇉"));
        }
      });
    },
    reverse: (args) => {
      this.#forMatching(args, (pattern) => {
        this.#the.network.reverse(pattern);
      });
    },
    hold: (args) => {
      this.#forMatching(args, (pattern) => {
        this.#the.network.hold(pattern);
      });
    },
    release: () => {
      this.#the.network.release();
    },
    cut: (args) => {
      this.#forMatching(args, (pattern) => {
        this.#the.network.cut(pattern);
      });
    },
    isolate: (args) => {
      const id = args.node();
      this.#the.network.cut({ from: id });
      this.#the.network.cut({ to: id });
    },
    partition: (args) => {
      this.#partition(args.groups());
    },
    heal: () => {
      this.#the.network.heal();
    },
    disk: (args) => {
      const id = args.node();
      this.#the.setSpeed(id, args.oneOf(["fast", "slow"]));
    },
    persist: (args) => {
      this.#the.persist(args.node());
    },
    save: (args) => {
      this.#the.save(args.node());
    },
    crash: (args) => {
      const id = args.node();
      const fates = ["kept", "installed"] as const;
      this.#the.crash(id, fates.find((fate) => args.flag(fate)) ?? "lost");
    },
    restart: (args) => {
      this.#the.restart(args.node());
    },
    state: (args) => {
      for (const id of args.nodes() ?? this.#the.ids) this.#printState(id);
    },
    log: (args) => {
      for (const id of args.nodes() ?? this.#the.ids) this.#printLog(id);
    },
    stored: (args) => {
      for (const id of args.nodes() ?? this.#the.ids) this.#printDisk(id);
    },
    progress: (args) => {
      this.#printProgress(args.node());
    },
    network: () => {
      for (const { message, isHeld } of this.#the.network.flights) {
        this.#print(formatMessage(message, isHeld ? "⇢" : "→"));
      }
    },
  };

  #print(line: string): void {
    this.#lines.push(line);
  }

  #create(args: Arguments): void {
    this.end();
    const nodes = args.nodes();
    const leader = args.optional("leader");
    assert(nodes !== undefined, "a cluster has nodes");
    const learners = args.numbers("learners") ?? [];
    const outside = (args.numbers("outside") ?? []).map(n);
    const configuration = { ...members([], { learners }), voters: nodes };
    const order = [...membersOf(configuration), ...outside];
    const limits = Object.fromEntries(
      Object.entries(defaults).map(([name, value]) => [name, args.optionalNumber(name) ?? value]),
    );
    this.#cluster = new Cluster({
      configuration,
      outside,
      limits: { ...defaults, ...limits },
      stored: storedFrom(args),
      // Node 1 is the first to lose patience, then node 2.
      random: (id, bound) => Math.min(order.indexOf(id), bound - 1),
      tell: (line) => {
        this.#print(line);
      },
      hear: this.#hear,
    });
    if (leader === undefined) return;
    this.#cluster.campaign(n(Number(leader)));
    this.#cluster.settle();
    this.#lines = [];
  }

  #forMatching(args: Arguments, action: (pattern: Pattern) => void): void {
    const pattern = args.pattern();
    assert(pattern !== undefined, "a pattern names messages, as 1->2 or *->3 voteRequest");
    action(pattern);
  }

  /**
   * What a leader may say at any time, as the heartbeats of the paper: entries up to prev, and how far all is
   * committed.
   */
  #sendEmptyAppend(args: Arguments): void {
    const { from, to } = args.pattern() ?? {};
    const prev = args.entryId("prev");
    const commit = logIndex(args.number("commit"));
    assert(from !== undefined && to !== undefined, "an append goes from one node to another");
    const { role, term: ofTerm } = this.#the.status(from);
    assert(role === "leader", "only a leader appends");
    this.#the.network.send({ kind: "appendEntries", from, to, term: ofTerm, prev, entries: [], commit });
  }

  /** Nodes of different groups do not hear each other. */
  #partition(groups: readonly (readonly NodeId[])[]): void {
    for (const group of groups) {
      const others = groups.filter((other) => other !== group).flat();
      for (const from of group) for (const to of others) this.#the.network.cut({ from, to });
    }
  }

  #printState(id: NodeId): void {
    const member = this.#the.member(id);
    this.#print(member === undefined ? `${formatNode(id)} is down` : formatState(member.seen));
  }

  #printLog(id: NodeId): void {
    const member = this.#the.member(id);
    const { base } = this.#the.disk(id).log;
    this.#print(
      `${formatNode(id)} ${member === undefined ? "is down" : `log ${tellLog(base, member.log())}`}`,
    );
  }

  #printDisk(id: NodeId): void {
    const { hardState, log, state } = this.#the.disk(id);
    const entries = tellLog(log.base, log.all());
    const text = `${formatHardState(hardState)} entries=${entries} applied=${String(state.applied)}`;
    this.#print(`${formatNode(id)} disk ${text}`);
  }

  #printProgress(id: NodeId): void {
    for (const [follower, { match, next, state }] of this.#the.status(id).followers) {
      this.#print(`${formatNode(follower)} ${state} match=${String(match)} next=${String(next)}`);
    }
  }
}

/** A history: `log=1,1,3` are the terms of the entries, `term` is that of the last one unless it is given. */
function storedFrom(args: Arguments): Stored {
  const terms = args.numbers("log") ?? [];
  const vote = args.optionalNumber("vote");
  const commit = args.optionalNumber("commit") ?? 0;
  return {
    hardState: {
      term: term(args.optionalNumber("term") ?? terms.at(-1) ?? 0),
      votedFor: vote === undefined ? undefined : n(vote),
      commit: logIndex(commit),
    },
    log: terms.map((ofTerm, position) => namedEntry(position + 1, ofTerm)),
    applied: logIndex(args.optionalNumber("applied") ?? commit),
  };
}

/** An entry whose data follows from its name, so that equal histories are equal. */
function namedEntry(index: number, ofTerm: number): Entry {
  return entry(index, ofTerm, `${String(index)}/${String(ofTerm)}`);
}
