/** Does what the plan says, and makes good what it did. */
import { Trouble } from "../cluster/fleet.ts";
import { type Fault, type FaultKind, faultTitles } from "../plan/faults.ts";
import type { Round } from "../plan/plan.ts";
import { nowMs, sleep } from "../platform/time.ts";
import { damage, fullDisk } from "./disk-faults.ts";
import { replaceMember, transfer } from "./membership.ts";
import { bridge, cut, delay, leaderAlone, oneWay, reset, silence, split } from "./network-faults.ts";
import { clock, kill, killAll, pause } from "./process-faults.ts";
import type { Scene, Strike, Struck } from "./scene.ts";

const strikes: Readonly<Record<FaultKind, Strike>> = {
  kill,
  killAll,
  pause,
  split,
  oneWay,
  bridge,
  leaderAlone,
  delay,
  silence,
  reset,
  cut,
  fullDisk,
  damage,
  replace: replaceMember,
  transfer,
  clock,
  certificates: async (_fault, { certificates }) => {
    const work = certificates.replaceAll();
    work.catch(() => undefined);
    return { kind: "struck", what: "of all members and clients", heal: () => work };
  },
};

/** What must be sound before the next can be healed: without a majority no member is replaced, for example. */
const healingOrder: readonly (readonly FaultKind[])[] = [
  ["split", "oneWay", "bridge", "leaderAlone", "delay", "silence", "reset", "cut"],
  ["pause", "kill", "killAll", "clock", "transfer"],
  ["fullDisk", "certificates"],
  ["damage", "replace"],
];

export interface NemesisOptions {
  readonly scene: Scene;
  readonly say: (line: string) => void;
  /** Called for each fault that came to be. */
  readonly onFault: (kind: FaultKind) => void;
  /**
   * Called when all is healed: resolves once clients of every member have written and read.
   * @throws {Trouble} if that takes too long
   */
  readonly proveUse: () => Promise<void>;
  /** Cuts short what a round has left to wait. */
  readonly hurry: AbortSignal;
}

interface Wound {
  readonly kind: FaultKind;
  readonly heal: () => Promise<void>;
}

export class Nemesis {
  readonly #options: NemesisOptions;

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  /** @throws {Trouble} if the cluster does not recover, or did what it must not. */
  async play(round: Round): Promise<void> {
    const { say, hurry } = this.#options;
    const wounds: Wound[] = [];
    for (const fault of round.faults) {
      if (wounds.length > 0) await sleep(round.apartMs, hurry);
      const struck = await this.#strike(fault);
      if (struck.kind === "struck") wounds.push({ kind: fault.kind, heal: struck.heal });
    }
    if (wounds.length === 0) return;
    await sleep(round.lastsMs, hurry);
    const startedMs = nowMs();
    await this.#heal(wounds);
    say(`healed after ${((nowMs() - startedMs) / 1000).toFixed(1)} s`);
    await sleep(round.restMs, hurry);
  }

  async #strike(fault: Fault): Promise<Struck> {
    const { scene, say, onFault } = this.#options;
    const struck = await strikes[fault.kind](fault, scene);
    const title = faultTitles[fault.kind];
    if (struck.kind === "struck") {
      onFault(fault.kind);
      say(`${title}: ${struck.what}`);
    } else {
      say(`${title}: left out, ${struck.because}`);
    }
    return struck;
  }

  async #heal(wounds: readonly Wound[]): Promise<void> {
    const { fleet } = this.#options.scene;
    try {
      for (const kinds of healingOrder) {
        await Promise.all(wounds.filter(({ kind }) => kinds.includes(kind)).map((wound) => wound.heal()));
      }
      await fleet.startAll();
      await fleet.cluster.waitForLeader({ timeoutMs: 30_000 });
      await fleet.cluster.waitForVoters(fleet.members.map(({ name }) => name));
      await this.#options.proveUse();
    } catch (error) {
      if (error instanceof Trouble) throw error;
      throw new Trouble(
        `the cluster did not recover: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      );
    }
  }
}
