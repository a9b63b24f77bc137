/** Commands, from whoever asks for them to what came of them here. */
import {
  type ApplyResult,
  type Caller,
  encodeCommand,
  type LoggedOperation,
  type Operation,
  type Origin,
  type Store,
} from "@dkv/store";
import type { Clock } from "../platform/clock.ts";
import type { DkvError } from "../platform/errors.ts";
import type { CommandResult } from "./member.ts";
import type { Proposals } from "./proposals.ts";
import { refusedError } from "./refusals.ts";

export interface CommandsDeps {
  readonly proposals: Proposals;
  readonly store: Pick<Store, "compaction">;
  readonly clock: Clock;
  readonly driver: { schedule(): void };
  /** Names this run of this process in commands. */
  readonly proposer: bigint;
  /** Why nothing at all is proposed any more; undefined while something is. */
  readonly ending: () => DkvError | undefined;
  /** Why what a caller asks for is not proposed; undefined if it is. */
  readonly refusal: (operation: Operation) => DkvError | undefined;
}

export class Commands {
  readonly #longestMs: number;
  readonly #deps: CommandsDeps;

  /** @param longestMs for which a command is waited for */
  constructor(longestMs: number, deps: CommandsDeps) {
    this.#longestMs = longestMs;
    this.#deps = deps;
  }

  /** As `Member.propose`. */
  async ofCaller(operation: Operation, timeoutMs?: number, caller?: Caller): Promise<CommandResult> {
    const { refusal, store } = this.#deps;
    const refused = refusal(operation);
    if (refused !== undefined) throw refused;
    const result = await this.#propose(operation, timeoutMs, caller);
    if (result.kind !== "refused") return result;
    throw refusedError(result, store.compaction.revision, operation.case);
  }

  /** What this member asks for of its own accord, whoever leads. Rejects with a DkvError. */
  ofMember(operation: LoggedOperation, timeoutMs?: number): Promise<ApplyResult> {
    return this.#propose(operation, timeoutMs, "member");
  }

  #propose(
    operation: LoggedOperation,
    timeoutMs: number | undefined,
    origin: Origin | undefined,
  ): Promise<ApplyResult> {
    const { proposals, clock, driver, proposer, ending } = this.#deps;
    const ended = ending();
    if (ended !== undefined) return Promise.reject(ended);
    const sequence = proposals.nextSequence();
    const command = encodeCommand({ proposer, sequence }, operation, origin);
    driver.schedule();
    return proposals.add(sequence, command, {
      nowMs: clock.nowMs(),
      timeoutMs: Math.min(timeoutMs ?? this.#longestMs, this.#longestMs),
    });
  }
}
