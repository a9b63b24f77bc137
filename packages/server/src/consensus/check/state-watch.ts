/**
 * What a member does about checks and alarms without being asked. A leader compares what the members have
 * stored, if it was told to, and lifts alarms that mean nothing any more. A member whose own state is wrong
 * does not lead for longer than it has to.
 *
 * It may still be elected: its log is as right as anybody's, it is what it made of it that is not. If it
 * alone has what others lack, the cluster goes on by it; as soon as another one could lead, that one does.
 */
import { create } from "@bufbuild/protobuf";
import { AlarmCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { RaftNode } from "@dkv/raft";
import type { Alarm } from "@dkv/store";
import type { Logger } from "pino";
import type { Cancel, Clock } from "../../platform/clock.ts";
import { DkvError } from "../../platform/errors.ts";
import type { PeerTransport } from "../../transport/peer-transport.ts";
import type { Driver } from "../driver.ts";
import { successorIn } from "../successor.ts";
import type { Alarms } from "./alarms.ts";
import type { Checks, ChecksDeps } from "./checks.ts";

const lookEveryMs = 500;

/** A check that the leader makes on its own gives up so late at most: the state may be large. */
const maxCheckMs = 600_000;

export interface StateWatchDeps {
  readonly node: RaftNode;
  readonly driver: Pick<Driver, "withNode">;
  readonly transport: Pick<PeerTransport, "peers">;
  readonly alarms: Alarms;
  readonly checks: Pick<Checks, "run">;
  readonly propose: ChecksDeps["propose"];
  readonly clock: Clock;
  readonly logger: Logger;
}

export class StateWatch {
  readonly #deps: StateWatchDeps;
  readonly #checkIntervalMs: number | undefined;
  #cancels: readonly Cancel[] = [];
  #isLifting = false;
  #wasCorrupt = false;
  /** Whether the log says that leadership is being handed over. */
  #isHandingOver = false;

  /** @param checkIntervalMs undefined: members are compared only when somebody asks for it */
  constructor(checkIntervalMs: number | undefined, deps: StateWatchDeps) {
    this.#checkIntervalMs = checkIntervalMs;
    this.#deps = deps;
  }

  start(): void {
    const { clock } = this.#deps;
    const intervalMs = this.#checkIntervalMs;
    const look = clock.every(lookEveryMs, () => {
      this.look();
    });
    if (intervalMs === undefined) this.#cancels = [look];
    else this.#cancels = [look, clock.every(intervalMs, () => void this.#check(intervalMs))];
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }

  /** Does now what is to be done about alarms. */
  look(): void {
    const { alarms, logger } = this.#deps;
    if (alarms.isCorruptHere && !this.#wasCorrupt) logger.error(alarms.refusal().message);
    this.#wasCorrupt = alarms.isCorruptHere;
    if (!alarms.isCorruptHere || !this.#leads) this.#isHandingOver = false;
    if (!this.#leads) return;
    void this.#lift(alarms.void());
    if (alarms.isCorruptHere) this.#handOver();
  }

  get #leads(): boolean {
    return this.#deps.node.status().role === "leader";
  }

  #handOver(): void {
    const { node, driver, transport, alarms, logger } = this.#deps;
    const successor = successorIn(node.status(), transport, (id) => !alarms.isCorrupt(id));
    if (successor === undefined) return;
    if (driver.withNode((core) => core.transferLeadership(successor)).kind === "dropped") return;
    if (!this.#isHandingOver)
      logger.error("handing leadership over: the state of this member differs from that of the others");
    this.#isHandingOver = true;
  }

  async #lift(alarms: readonly Alarm[]): Promise<void> {
    if (this.#isLifting || alarms.length === 0) return;
    const { propose, logger } = this.#deps;
    this.#isLifting = true;
    try {
      for (const alarm of alarms) {
        const value = create(AlarmCommandSchema, { ...alarm, lift: true });
        await propose({ case: "alarm", value });
        logger.info({ member: alarm.memberId.toString(16) }, "lifted an alarm that means nobody any more");
      }
    } catch (error) {
      logger.warn({ err: error }, "could not lift an alarm; it is tried again");
    } finally {
      this.#isLifting = false;
    }
  }

  /** What comes of it is in the log. */
  async #check(intervalMs: number): Promise<void> {
    if (!this.#leads) return;
    const { checks, logger } = this.#deps;
    try {
      await checks.run(Math.min(intervalMs, maxCheckMs));
    } catch (error) {
      const reason = error instanceof DkvError ? error.message : error;
      logger.warn({ reason }, "what the members have stored could not be compared");
    }
  }
}
