/**
 * Compares what all members have stored, through any member.
 *
 *   check in the log ─▶ every member applies it, and hashes what its state is right there
 *          └─ applied here ─▶ ask every member for its hash ─▶ compare ─▶ alarm in the log about who differs
 */
import { create } from "@bufbuild/protobuf";
import { AlarmCommandSchema, AlarmKind, CheckCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { type LogIndex, logIndex, type NodeId, type NodeStatus } from "@dkv/raft";
import type { ApplyResult, LoggedOperation, Store } from "@dkv/store";
import type { Logger } from "pino";
import { assert } from "../../platform/assert.ts";
import type { Clock } from "../../platform/clock.ts";
import { DkvError } from "../../platform/errors.ts";
import type { Identity } from "../../storage/storage.ts";
import type { Driver } from "../driver.ts";
import type { CheckReport, MemberCheck } from "../member.ts";
import { decodeResponse, encodeRequest, type MemberResponse } from "../requests/request-bodies.ts";
import type { MembershipTable } from "../membership/table.ts";
import type { Alarms } from "./alarms.ts";
import { compareHashes, type HashAnswer } from "./compare.ts";
import type { StateHash } from "./state-hashes.ts";

/** Members are not waited for any longer that hash what they have stored. */
export const maxCheckTimeoutMs = 600_000;

/** Of the time that the asking member waits, a member that is slow keeps so much to say so. */
const answerShare = 0.1;

export interface ChecksDeps {
  readonly driver: Pick<Driver, "until" | "requests" | "hashes">;
  readonly store: Pick<Store, "appliedIndex">;
  readonly identity: Identity;
  readonly status: () => NodeStatus;
  readonly table: () => MembershipTable;
  readonly alarms: Alarms;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Brings a command into the log, through whoever leads. Rejects with a DkvError. */
  readonly propose: (operation: LoggedOperation, timeoutMs?: number) => Promise<ApplyResult>;
}

export class Checks {
  readonly #deps: ChecksDeps;
  #isRunning = false;

  constructor(deps: ChecksDeps) {
    this.#deps = deps;
  }

  /** Resolves when all have answered, or the time is up. Rejects with a DkvError. */
  async run(timeoutMs: number): Promise<CheckReport> {
    if (this.#isRunning) {
      throw new DkvError(
        "overloaded",
        "a check is being made through this member: wait for it to end, or ask another member",
      );
    }
    this.#isRunning = true;
    try {
      return await this.#check(timeoutMs);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Answers another member. */
  async respond(index: LogIndex, timeoutMs: number): Promise<MemberResponse> {
    const known = await this.#own(index, timeoutMs * (1 - answerShare));
    return { kind: "stateHash", index, known };
  }

  async #check(timeoutMs: number): Promise<CheckReport> {
    const { propose, table, status, clock, alarms, driver } = this.#deps;
    const deadlineMs = clock.nowMs() + timeoutMs;
    const result = await propose({ case: "check", value: create(CheckCommandSchema) }, timeoutMs);
    assert(result.kind === "check", "a check answers a check");
    const index = logIndex(result.index);
    const leftMs = Math.max(0, deadlineMs - clock.nowMs());
    const { members } = table();
    const asked = await Promise.all(
      members.map(async (member) => ({ member, answer: await this.#ask(member.id, index, leftMs) })),
    );
    const report = compareHashes(index, asked, status().configuration.configuration);
    const blamed = this.#judge(report);
    // Whoever reads the report finds it so; but rather the report in time than that.
    const isRaised = (): boolean => blamed.every((id) => alarms.isCorrupt(id));
    await driver.until(isRaised, Math.max(0, deadlineMs - clock.nowMs()));
    return report;
  }

  /** The hash of our own state there; undefined if it is not known, or not in time. */
  async #own(index: LogIndex, timeoutMs: number): Promise<StateHash | undefined> {
    const { driver, store } = this.#deps;
    const { hashes } = driver;
    await driver.until(() => store.appliedIndex >= index && !hashes.isPending(index), timeoutMs);
    return hashes.at(index);
  }

  async #ask(id: NodeId, index: LogIndex, timeoutMs: number): Promise<HashAnswer> {
    const { driver, identity } = this.#deps;
    if (id === identity.memberId) return answerOf(await this.#own(index, timeoutMs));
    const body = encodeRequest({ kind: "stateHash", index, timeoutMs });
    const reply = await driver.requests.ask(id, body, timeoutMs);
    if (reply.kind === "notSent") return none("there is no connection to it");
    if (reply.kind === "silence") return none("it did not answer in time");
    const response = decodeResponse(reply.body);
    if (response.kind === "stateHash" && response.index === index) return answerOf(response.known);
    return none(response.kind === "failure" ? response.error.message : "it answered something else");
  }

  /** Raises an alarm about those who are known to be wrong, and tells the log of this member. Returns who it is. */
  #judge(report: CheckReport): readonly NodeId[] {
    const { logger } = this.#deps;
    const { index, hasMajority, members } = report;
    const named = (verdict: MemberCheck["verdict"]): string =>
      members
        .filter((member) => member.verdict === verdict)
        .map(({ name }) => name)
        .join(", ");
    const facts = { index, agrees: named("agrees"), differs: named("differs"), noAnswer: named("noAnswer") };
    const wrong = members.filter(({ verdict }) => verdict === "differs");
    if (wrong.length === 0) logger.info(facts, "members have stored the same, as far as they answered");
    else if (hasMajority) logger.error(facts, "members have stored something else than the majority");
    else
      logger.error(facts, "members have stored different things, and no majority the same: nobody is blamed");
    if (!hasMajority) return [];
    for (const { id, name } of wrong) this.#raise(id, name);
    return wrong.map(({ id }) => id);
  }

  #raise(memberId: NodeId, name: string): void {
    const { propose, identity, alarms, logger } = this.#deps;
    if (alarms.isCorrupt(memberId)) return;
    const { clusterId } = identity;
    const value = create(AlarmCommandSchema, { clusterId, memberId, kind: AlarmKind.CORRUPT });
    propose({ case: "alarm", value }).then(
      () => {
        logger.error({ member: name }, "raised an alarm: replace the member with dkvctl member-replace");
      },
      (error: unknown) => {
        logger.error({ member: name, err: error }, "could not raise an alarm; check again");
      },
    );
  }
}

function answerOf(known: StateHash | undefined): HashAnswer {
  return known === undefined
    ? none("it does not know: it is behind, or has restarted or taken over a snapshot since")
    : { kind: "hash", hash: known.hash, revision: known.revision };
}

const none = (reason: string): HashAnswer => ({ kind: "none", reason });
