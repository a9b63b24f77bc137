import { assert } from "../../src/assert.ts";
import { initialConfiguration, isJoint, membersOf } from "../../src/configuration/configuration.ts";
import type { Message } from "../../src/messages.ts";
import type { TraceEvent } from "../../src/trace.ts";
import { logIndex, type NodeId, readContext } from "../../src/types.ts";
import { n } from "../solo.ts";
import { Cluster, type Limits } from "./cluster.ts";
import type { Action, NetworkAction, NodeAction, Schedule, SnapshotAction } from "./schedule.ts";
import type { Transfer } from "./transfers.ts";

const electionTicks = 6;

const limits: Readonly<Record<Schedule["limits"], Limits>> = {
  tight: {
    electionTicks,
    heartbeatTicks: 2,
    maxInflightMessages: 2,
    maxInflightBytes: 8,
    maxAppendBytes: 4,
    maxUncommittedBytes: 16,
    maxCommittedBytes: 4,
  },
  wide: {
    electionTicks,
    heartbeatTicks: 1,
    maxInflightMessages: 16,
    maxInflightBytes: 1 << 20,
    maxAppendBytes: 1 << 16,
    maxUncommittedBytes: 1 << 20,
    maxCommittedBytes: 1 << 20,
  },
};

/** A cluster that lives through a schedule. */
export class Simulation {
  /** What happened, line by line. */
  readonly story: string[] = [];
  readonly #cluster: Cluster;
  #random: number;
  #proposals = 0;
  #reads = 0n;

  constructor(schedule: Schedule, hear: (kind: string) => void) {
    const ids = [1, 2, 3, 4, 5, 6].map(n);
    this.#random = schedule.seed;
    this.#cluster = new Cluster({
      configuration: initialConfiguration(ids.slice(0, schedule.nodes)),
      outside: ids.slice(schedule.nodes, schedule.nodes + schedule.outside),
      limits: limits[schedule.limits],
      random: (_, bound) => this.#draw(bound),
      tell: (line) => this.story.push(line),
      hear: (event: TraceEvent | Message) => {
        hear(event.kind);
      },
    });
  }

  perform(action: Action): void {
    const cluster = this.#cluster;
    switch (action.kind) {
      case "tick":
        this.#ifUp(action.at, (id) => {
          for (let count = 0; count < action.times; count += 1) cluster.tick(id);
        });
        return;
      case "pass":
        for (let count = 0; count < action.times; count += 1) cluster.pass();
        return;
      case "restart":
        if (!this.#isUp(this.#id(action.at))) cluster.restart(this.#id(action.at));
        return;
      case "transfer":
        this.#ifLeader((id) => cluster.transferLeadership(id, this.#id(action.to)));
        return;
      case "reconfigure":
        this.#ifLeader((id) => {
          const changes = action.changes.map(({ kind, at }) => ({ kind, id: this.#id(at) }));
          return cluster.reconfigure(id, changes);
        });
        return;
      case "sendSnapshot":
      case "pushSnapshot":
      case "deliverSnapshot":
      case "repeatSnapshot":
      case "loseSnapshot":
        this.#onSnapshots(action);
        return;
      case "deliverInOrder":
      case "deliverAt":
      case "dropAt":
      case "duplicateAt":
      case "cut":
      case "isolate":
      case "partition":
      case "heal":
        this.#onNetwork(action);
        return;
      default:
        this.#onNode(action);
    }
  }

  /** The faults end: everyone is there, hears everyone, and has a disk that answers. Progress must follow. */
  recover(): void {
    const cluster = this.#cluster;
    this.story.push("all faults end");
    cluster.network.heal();
    for (const id of cluster.ids) {
      if (!this.#isUp(id)) cluster.restart(id);
      cluster.setSpeed(id, "fast");
      cluster.persist(id);
    }
    // Time for every timeout to pass several times: a split vote, a stale leader, a transfer.
    this.#passUntil(() => this.#leader() !== undefined, 20 * electionTicks);
    const before = cluster.checks.committed;
    // A transfer that is under way refuses proposals, and old ones may fill the limit.
    this.#passUntil(() => this.#propose(1, 3) && cluster.checks.committed > before, 20 * electionTicks);
    // Every member learns of everything, and every read is answered or given up.
    const isDone = (): boolean => cluster.checks.openReads === 0 && this.#isEqual();
    this.#passUntil(isDone, 20 * electionTicks);
    for (const id of cluster.ids) this.#read(id);
    this.#passUntil(isDone, 5 * electionTicks);
    cluster.checks.checkDurability();
  }

  #passUntil(condition: () => boolean, ticks: number): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      if (condition()) return;
      this.#cluster.pass();
      this.#bringSnapshots();
      if (tick % electionTicks === 0) this.#giveTransfersUp();
    }
    assert(condition(), "without faults a cluster makes progress");
  }

  /** Whether the change under way is finished, and every member has applied everything. */
  #isEqual(): boolean {
    const leader = this.#leader();
    if (leader === undefined) return false;
    const { index, configuration } = this.#cluster.status(leader).configuration;
    const { committed } = this.#cluster.checks;
    if (isJoint(configuration) || index > committed) return false;
    return [...membersOf(configuration)].every((id) => this.#cluster.member(id)?.applied === committed);
  }

  /** Without faults, every snapshot that is on its way or wanted arrives. */
  #bringSnapshots(): void {
    const { transfers } = this.#cluster;
    while (transfers.wishes.length > 0) this.#onSnapshots({ kind: "sendSnapshot", position: 0 });
    while (transfers.onTheirWay.length > 0) this.#onSnapshots({ kind: "deliverSnapshot", position: 0 });
  }

  /** A snapshot of which nothing was heard for long is given up by its sender. */
  #giveTransfersUp(): void {
    for (const from of this.#cluster.ids) {
      for (const [to, { state }] of this.#cluster.status(from).followers)
        if (state === "snapshot") this.#cluster.snapshotFailed(from, to);
    }
  }

  #onSnapshots(action: SnapshotAction): void {
    const cluster = this.#cluster;
    const { transfers } = cluster;
    switch (action.kind) {
      case "sendSnapshot": {
        const wish = transfers.takeWish(action.position);
        if (wish !== undefined && this.#leads(wish.from)) cluster.sendSnapshot(wish.from, wish.to);
        return;
      }
      case "pushSnapshot":
        this.#ifLeader((id) => {
          const to = this.#id(action.to);
          if (to !== id) cluster.sendSnapshot(id, to);
        });
        return;
      case "deliverSnapshot":
      case "repeatSnapshot":
        this.#withTransfer(action.position, (transfer) => {
          cluster.deliverSnapshot(transfer);
          if (action.kind === "repeatSnapshot") transfers.send(transfer);
        });
        return;
      case "loseSnapshot":
        this.#withTransfer(action.position, ({ from, to }) => {
          if (this.#isUp(from)) cluster.snapshotFailed(from, to);
        });
    }
  }

  #withTransfer(position: number, action: (transfer: Transfer) => void): void {
    const transfer = this.#cluster.transfers.takeAt(position);
    if (transfer !== undefined) action(transfer);
  }

  #onNetwork(action: NetworkAction): void {
    const { network } = this.#cluster;
    switch (action.kind) {
      case "deliverInOrder":
        for (let count = 0; count < action.count; count += 1) this.#deliver(network.takeNext());
        return;
      case "deliverAt":
        this.#deliver(network.takeAt(action.position));
        return;
      case "dropAt":
        network.takeAt(action.position);
        return;
      case "duplicateAt":
        network.duplicateAt(action.position);
        return;
      case "cut":
        network.cut({ from: this.#id(action.from), to: this.#id(action.to) });
        return;
      case "isolate":
        network.cut({ from: this.#id(action.at) });
        network.cut({ to: this.#id(action.at) });
        return;
      case "partition":
        this.#partition(action.side);
        return;
      case "heal":
        network.heal();
    }
  }

  #partition(side: number): void {
    const { ids, network } = this.#cluster;
    const sideOf = (id: NodeId): number => Math.floor(side / 2 ** ids.indexOf(id)) % 2;
    for (const from of ids) {
      for (const to of ids) if (sideOf(from) !== sideOf(to)) network.cut({ from, to });
    }
  }

  #deliver(message: Message | undefined): void {
    if (message !== undefined) this.#cluster.deliver(message);
  }

  #onNode(action: NodeAction): void {
    const cluster = this.#cluster;
    this.#ifUp(action.at, (id) => {
      switch (action.kind) {
        case "crash":
          this.story.push(`${String(id)} crashes, its write is ${action.write}`);
          cluster.crash(id, action.write);
          return;
        case "slow":
        case "fast":
          cluster.setSpeed(id, action.kind);
          return;
        case "persist":
          cluster.persist(id);
          return;
        case "save":
          cluster.save(id);
          return;
        case "compact": {
          const { state, log } = cluster.disk(id);
          const dropped = Math.floor(((state.applied - log.base.index) * action.part) / 100);
          cluster.compact(id, logIndex(log.base.index + dropped));
          return;
        }
        case "campaign":
          cluster.campaign(id);
          return;
        case "propose":
          this.#propose(action.count, action.length, id);
          return;
        case "read":
          this.#read(id);
      }
    });
  }

  /** Proposes to a leader what came to the node `by`. Returns whether there was one that accepted. */
  #propose(count: number, length: number, by?: NodeId): boolean {
    const data = Array.from({ length: count }, () => {
      this.#proposals += 1;
      return String(this.#proposals).padEnd(length, ".");
    });
    let isAccepted = false;
    this.#ifLeader((id) => {
      const onBehalfOf = by === id ? undefined : by;
      isAccepted = this.#cluster.propose(id, data, onBehalfOf).kind === "accepted";
    });
    return isAccepted;
  }

  #read(id: NodeId): void {
    this.#reads += 1n;
    this.#cluster.readIndex(id, readContext(this.#reads));
  }

  /** Some node that believes to lead; there may be two of different terms. */
  #leader(): NodeId | undefined {
    const leaders = this.#cluster.ids.filter((id) => this.#leads(id));
    return leaders[this.#draw(Math.max(leaders.length, 1))];
  }

  #ifLeader(action: (id: NodeId) => unknown): void {
    const id = this.#leader();
    if (id !== undefined) action(id);
  }

  #ifUp(at: number, action: (id: NodeId) => void): void {
    const id = this.#id(at);
    if (this.#isUp(id)) action(id);
  }

  #leads(id: NodeId): boolean {
    return this.#cluster.member(id)?.seen.role === "leader";
  }

  #isUp(id: NodeId): boolean {
    return this.#cluster.member(id) !== undefined;
  }

  #id(at: number): NodeId {
    const { ids } = this.#cluster;
    const id = ids[at % ids.length];
    assert(id !== undefined, "a cluster has nodes");
    return id;
  }

  /** A number in [0, bound), the same in each run of the same schedule. */
  #draw(bound: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#random / 2 ** 32) * bound);
  }
}
