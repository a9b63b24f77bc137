/** A machine with a clock and a disk, on which a member's process lives, dies, and is started again. */
import type { SimStorage, StorageObserver } from "../disk/sim-storage.ts";
import { DiskFailure, type Hardware } from "../disk/hardware.ts";
import type { Platter } from "../disk/platter.ts";
import { DamageError } from "@dkv/server/storage/damage";
import { ForgottenPromise, type NodeId } from "@dkv/raft";
import { DamagedRecordError } from "@dkv/store";
import type { PeerTransport } from "@dkv/server/transport/peer-transport";
import type { Logger } from "pino";
import { SafetyViolation } from "../checkers/truth.ts";
import type { Network } from "../network/network.ts";
import { Life } from "../world/life.ts";
import { Prng } from "../world/random.ts";
import type { World } from "../world/world.ts";
import { type MachineClock, SimClock } from "./clock.ts";
import { type Flags, type MemberProcess, NotAMember, startMember } from "./member.ts";
import type { ApplyWitness } from "./observed-store.ts";
import type { Settings } from "./settings.ts";

export interface MachineDeps {
  readonly world: World;
  readonly network: Network;
  readonly settings: Settings;
  readonly seed: number;
  readonly clock: MachineClock;
  readonly hardware: Hardware;
  readonly logger: Logger;
  readonly observe: (member: () => MemberProcess | undefined) => StorageObserver;
  readonly witness: ApplyWitness;
  readonly wrap: (transport: PeerTransport) => PeerTransport;
  /** A process has opened its disk and is about to take part. */
  readonly onBorn: (member: MemberProcess) => void;
  readonly isOlder: boolean;
  /** Whether a configuration that was committed lacks the member. */
  readonly isRemoved: (id: NodeId) => boolean;
  /** Whether the cluster has a member of that name. */
  readonly isExpected: (name: string) => boolean;
}

export class Machine {
  readonly index: number;
  readonly name: string;
  readonly clock: MachineClock;
  readonly hardware: Hardware;
  readonly #deps: MachineDeps;
  readonly #flags: Flags;
  #life: Life | undefined;
  #starts = 0;
  #platter: Platter | undefined;
  /** While it runs and has opened its disk. */
  member: MemberProcess | undefined;
  /** Of the process that runs, or the one that ran last: what it shows is what the disk holds. */
  storage: SimStorage | undefined;
  /** Whether its disk was lost: it can be no member any more, and must not act as one. */
  isWiped = false;
  /** Whether its processes are of the version before, from the next start on. */
  isOlder: boolean;
  /** Why it is not to be started any more; undefined if it may be. */
  retired: "removed" | "damaged" | "refused" | "wiped" | undefined;

  constructor(index: number, flags: Flags, deps: MachineDeps) {
    this.index = index;
    this.name = flags.name;
    this.#flags = flags;
    this.#deps = deps;
    this.clock = deps.clock;
    this.hardware = deps.hardware;
    this.isOlder = deps.isOlder;
  }

  get isUp(): boolean {
    return this.#life !== undefined;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  get platter(): Platter | undefined {
    return this.#platter;
  }

  /** Does nothing if it runs, or must not. */
  start(): void {
    if (this.#life !== undefined || this.retired !== undefined) return;
    const { world, network, settings, seed, logger, witness } = this.#deps;
    network.setPower(this.index, true);
    const life = new Life(world, this.index);
    this.#life = life;
    this.#starts += 1;
    if (this.#starts > 1) world.probes.reached("process restarted");
    this.hardware.attach(life);
    const random = new Prng(seed, `process ${String(this.index)} ${String(this.#starts)}`);
    world.trace.note("start", this.index, [this.#starts]);
    const host = {
      life,
      clock: new SimClock(life, this.clock, settings.turnUs),
      hardware: this.hardware,
      platter: this.#platter,
      settings,
      isOlder: this.isOlder,
      random,
      logger: logger.child({ member: this.name }),
      wrap: (transport: PeerTransport) => this.#deps.wrap(transport),
      observe: (member: () => MemberProcess | undefined) => this.#deps.observe(member),
      witness,
      onPlatter: (platter: Platter) => {
        this.#platter = platter;
      },
      onRemoved: () => {
        this.#removed(life);
      },
      fatal: (error: unknown) => {
        this.#died(life, error);
      },
    };
    life.after(0, "client", () => {
      startMember(this.#flags, host, (member) => {
        if (life.isOver) return;
        this.member = member;
        this.storage = member.storage;
        this.#deps.onBorn(member);
      }).catch((error: unknown) => {
        this.#died(life, error);
      });
    });
  }

  /** The disk is lost, and another one put in its place. */
  wipe(): void {
    this.crash({ power: true });
    this.isWiped = true;
    this.#platter = undefined;
    this.storage = undefined;
  }

  /** kill -9, or the power goes: then nobody is told. */
  crash({ power }: { readonly power: boolean }): void {
    const life = this.#life;
    if (life === undefined) return;
    const { network, world } = this.#deps;
    world.trace.note(power ? "power lost" : "killed", this.index, []);
    if (this.member?.store.isPreparing === true) world.probes.reached("ended while an entry waited");
    if (power) {
      world.probes.reached("machine lost power");
      network.setPower(this.index, false);
    }
    life.end();
    this.hardware.crash();
    network.ended(life, !power);
    this.#life = undefined;
    this.member = undefined;
  }

  #removed(life: Life): void {
    if (life.isOver) return;
    const { world, isRemoved } = this.#deps;
    world.probes.reached("member told of its removal");
    if (this.storage === undefined || !isRemoved(this.storage.identity.memberId))
      world.fail(new SafetyViolation(`${this.name} ended as removed, and nobody has committed its removal`));
    this.retired = "removed";
    this.crash({ power: false });
  }

  /** A process may end itself only for what its disk has done to it. */
  #died(life: Life, error: unknown): void {
    if (life.isOver) return;
    const { world, isExpected } = this.#deps;
    world.trace.note("died", this.index, [error instanceof Error ? error.message : String(error)]);
    const isDamage = error instanceof DamageError || error instanceof DamagedRecordError;
    if (error instanceof ForgottenPromise && this.isWiped) {
      world.probes.reached("member with a lost disk stopped");
      this.retired = "wiped";
    } else if (isDamage && this.#platter?.isDamaged === true) {
      world.probes.reached(
        this.member === undefined ? "damaged disk refused a start" : "damaged record stopped a member",
      );
      this.retired = "damaged";
    } else if (error instanceof NotAMember) {
      if (isExpected(this.name) && !this.isWiped)
        world.fail(new SafetyViolation(`${this.name} is a member, and was refused: ${error.message}`));
      this.retired = "refused";
    } else if (!(error instanceof DiskFailure)) world.fail(error);
    this.crash({ power: false });
  }
}
