/** The machines of a run, and who is supposed to belong to the cluster. */
import { initialConfiguration, logIndex, type LogIndex, type NodeId, noEntry, term } from "@dkv/raft";
import { encodeMembership } from "@dkv/server/codec/membership-codec";
import { memberIdOf } from "@dkv/server/config/identity";
import { MembershipTable, type TableMember } from "@dkv/server/consensus/membership/table";
import type { LogBatch } from "@dkv/server/storage/storage";
import type { PeerTransport } from "@dkv/server/transport/peer-transport";
import type { Logger } from "pino";
import type { Checkers } from "../checkers/checkers.ts";
import { checkLostData } from "../checkers/lost-data.ts";
import type { VoterDisk } from "../checkers/quorums.ts";
import { Hardware } from "../disk/hardware.ts";
import type { StorageObserver } from "../disk/sim-storage.ts";
import type { Swarm } from "../faults/swarm.ts";
import type { Network } from "../network/network.ts";
import { firstPort } from "../network/node-net.ts";
import { overridden, scrambled } from "../network/scramble.ts";
import type { Life } from "../world/life.ts";
import { Prng } from "../world/random.ts";
import type { World } from "../world/world.ts";
import { MachineClock } from "./clock.ts";
import { Machine } from "./machine.ts";
import type { Flags, MemberProcess } from "./member.ts";
import { Roster } from "./roster.ts";

export interface ClusterDeps {
  readonly seed: number;
  readonly swarm: Swarm;
  readonly world: World;
  readonly network: Network;
  readonly checkers: Checkers;
  readonly logger: Logger;
}

const clusterId = 0xd4c0n;

export const addressOf = (machine: number): string =>
  `10.0.0.${String(machine + 1)}:${String(firstPort + machine)}`;

export class Cluster {
  readonly #deps: ClusterDeps;
  readonly #random: Prng;
  readonly machines: Machine[] = [];
  #ambush: ((machine: Machine) => void) | undefined;
  /** By the member that is on it. */
  readonly #disks = new Map<NodeId, Machine>();
  /** What each disk said of its hard state last. */
  readonly #durable = new Map<Machine, LogBatch["hardState"]>();
  readonly #roster: Roster;

  constructor(deps: ClusterDeps) {
    this.#deps = deps;
    this.#random = new Prng(deps.seed, "machines");
    const rows = Array.from({ length: deps.swarm.members }, (_, at) => {
      const name = nameOf(at);
      return { id: memberIdOf(name), name, peerAddress: addressOf(at), incarnation: 0n };
    });
    const configuration = initialConfiguration(
      rows.map(({ id }) => id),
      encodeMembership({ rows, history: 0n }),
    );
    this.#roster = new Roster({ index: noEntry.index, configuration }, deps.world.probes);
    const versions = new Prng(deps.seed, "versions");
    for (const { id, name } of rows) {
      const identity = { clusterId, memberId: id, name };
      const isOlder = versions.chance(deps.swarm.olderShare);
      this.#add({ name, beginning: { kind: "founder", identity, configuration } }, isOlder);
    }
  }

  start(): void {
    for (const machine of this.machines) machine.start();
  }

  /** Members whose processes run and have opened their disks. */
  get members(): readonly MemberProcess[] {
    return this.machines.flatMap(({ member }) => (member === undefined ? [] : [member]));
  }

  /** Where clients look for members. */
  get serving(): readonly Machine[] {
    const able = this.machines.filter(({ retired }) => retired === undefined);
    return able.length > 0 ? able : this.machines;
  }

  get leader(): Machine | undefined {
    return this.machines.find(({ member }) => member?.replica.status().role === "leader");
  }

  /** As the leader has it, committed or not; without a leader, what was committed last. */
  get listed(): readonly TableMember[] {
    const status = this.leader?.member?.node.status();
    return status === undefined
      ? this.#roster.members
      : new MembershipTable(status.configuration.configuration).members;
  }

  /** A machine for a member that has been added, or is about to be. */
  join(): Machine {
    const own = this.machines.length;
    const addresses = () => this.machines.flatMap(({ index }) => (index === own ? [] : [addressOf(index)]));
    return this.#add({ name: nameOf(own), beginning: { kind: "joining", addresses } }, false);
  }

  /**
   * The disk of a member, whether it runs or not: an empty one if it never ran. Undefined if it was damaged,
   * or lost.
   */
  diskOf(id: NodeId): VoterDisk | undefined {
    const machine = this.#disks.get(id);
    if (machine === undefined) return emptyDisk;
    const { storage, platter, isWiped } = machine;
    if (storage === undefined || platter === undefined || platter.isDamaged || isWiped) return undefined;
    const { log, durableHardState: hardState } = storage;
    return { hardState, firstIndex: log.firstIndex, termAt: (index) => log.termAt(index) };
  }

  /** Calls when somebody is elected next; whoever waited before waits no more. */
  onceElected(ambush: ((machine: Machine) => void) | undefined): void {
    this.#ambush = ambush;
  }

  /** Called after each event. */
  settled(life: Life | undefined): void {
    if (life === undefined || life.isOver) return;
    const machine = this.machines[life.machine];
    if (machine?.member?.life !== life) return;
    if (machine.member.store.isPreparing) this.#deps.world.probes.reached("an entry waited for the disk");
    const standing = this.#deps.checkers.settled(machine.member);
    if (standing === "follows") return;
    this.#roster.observe(machine.member.node);
    if (standing === "leads") return;
    if (machine.isOlder) this.#deps.world.probes.reached("older member led");
    const ambush = this.#ambush;
    this.#ambush = undefined;
    ambush?.(machine);
  }

  #add(flags: Flags, isOlder: boolean): Machine {
    const { seed, swarm, world, network, logger, checkers } = this.#deps;
    const index = this.machines.length;
    const drift = swarm.drift * (this.#random.below(2001) / 1000 - 1);
    const machine: Machine = new Machine(index, flags, {
      world,
      network,
      settings: swarm.settings,
      seed,
      clock: new MachineClock(1 + drift),
      hardware: new Hardware(
        swarm.disk,
        new Prng(seed, `disk ${String(index)}`),
        new Prng(seed, `disk reads ${String(index)}`),
      ),
      logger,
      witness: checkers.stateMachine,
      observe: (member) => this.#observer(machine, member),
      wrap: (transport) =>
        this.#watched(machine, scrambled(transport, { ...swarm.scramble, world, seed, machine: index })),
      onBorn: (member) => {
        this.#born(machine, member);
      },
      isOlder,
      isRemoved: (id) => this.#roster.isRemoved(id, this.machines),
      isExpected: (sought) => this.listed.some(({ name }) => name === sought),
    });
    this.machines.push(machine);
    return machine;
  }

  #watched(machine: Machine, transport: PeerTransport): PeerTransport {
    const { checkers } = this.#deps;
    return overridden(transport, (to, frame) => {
      if (machine.member !== undefined)
        for (const message of frame.messages) checkers.leaves(machine.member, message);
      return transport.send(to, frame);
    });
  }

  #born(machine: Machine, member: MemberProcess): void {
    const { checkers } = this.#deps;
    this.#disks.set(member.id, machine);
    if (machine.platter?.isDamaged === true || machine.isWiped) return;
    const durable = this.#durable.get(machine);
    if (durable !== undefined) checkers.restarted(member, durable);
    checkers.stateMachine.whole(member.store);
    if (machine.platter !== undefined) checkers.stateMachine.strays(machine.platter);
  }

  #observer(machine: Machine, member: () => MemberProcess | undefined): StorageObserver {
    const { checkers, world } = this.#deps;
    return {
      appended: (batch) => {
        if (machine.isWiped) checkLostData(batch);
        if (batch.hardState !== undefined) this.#durable.set(machine, batch.hardState);
        const appender = member();
        if (appender !== undefined) checkers.appended(appender, batch);
      },
      compacted: (firstIndex: LogIndex) => {
        world.probes.reached("log compacted");
        world.trace.note("compacted", machine.index, [firstIndex]);
      },
      installed: (last: LogIndex) => {
        world.probes.reached("snapshot installed");
        world.trace.note("installed", machine.index, [last]);
      },
      tornDropped: () => {
        world.probes.reached("torn tail dropped");
      },
      receiving: () => {
        world.probes.reached("snapshot begun");
      },
      resumed: () => {
        world.probes.reached("snapshot gone on with");
      },
    };
  }
}

/** Of a member that has promised nothing yet. */
const emptyDisk: VoterDisk = {
  hardState: { term: term(0), votedFor: undefined, commit: noEntry.index },
  firstIndex: logIndex(1),
  termAt: () => undefined,
};

const nameOf = (machine: number): string => `m${String(machine + 1)}`;
