/** Pipe as Connect has it, for every protocol: messages in, messages out. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { PipeRequest } from "@dkv/protocol/dkv/v1/dkv";
import { answerBytes } from "./answer-bytes.ts";
import { AnswerRoom } from "./answer-room.ts";
import type { PipeLimits } from "./limits.ts";
import { operationBytes, type PipeAnswer, type PipeOperations } from "./operations.ts";

export interface PipeCall {
  readonly requests: AsyncIterable<PipeRequest>;
  /** Milliseconds that the caller is still willing to wait, if it said. */
  readonly timeoutMs: () => number | undefined;
  /** Aborted when the client has gone, or the member is stopping. */
  readonly signal: AbortSignal;
}

/**
 * Answers in the order in which operations are done. Ends when everything that was taken is answered; throws
 * then what the requests threw, or what the signal was aborted with.
 */
export async function* generatePipe(
  { requests, timeoutMs, signal }: PipeCall,
  operations: PipeOperations,
  limits: PipeLimits,
): AsyncGenerator<PipeAnswer> {
  const pipe = new GeneratedPipe(operations, limits, timeoutMs);
  const stop = (): void => {
    pipe.end({ failure: ConnectError.from(signal.reason, Code.Canceled) });
  };
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  pipe.feed(requests);
  try {
    yield* pipe.answers();
  } finally {
    signal.removeEventListener("abort", stop);
    pipe.end({});
  }
}

class GeneratedPipe {
  readonly #operations: PipeOperations;
  readonly #limits: PipeLimits;
  readonly #timeoutMs: () => number | undefined;
  readonly #room: AnswerRoom;
  readonly #answers: PipeAnswer[] = [];
  /** Operations that run, and their bytes. */
  #running = 0;
  #bytes = 0;
  /** Whether there will be no more requests, and why. */
  #end: { readonly failure?: unknown } | undefined;
  #wakeReader: () => void = ignore;
  #wakeFeeder: () => void = ignore;

  constructor(operations: PipeOperations, limits: PipeLimits, timeoutMs: () => number | undefined) {
    this.#operations = operations;
    this.#timeoutMs = timeoutMs;
    this.#limits = limits;
    this.#room = new AnswerRoom(limits.answerBytes);
  }

  feed(requests: AsyncIterable<PipeRequest>): void {
    this.#take(requests).then(
      () => {
        this.end({});
      },
      (failure: unknown) => {
        this.end({ failure });
      },
    );
  }

  async *answers(): AsyncGenerator<PipeAnswer> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) {
        yield answer;
        // Whoever comes back has taken it.
        this.#room.release(answerBytes(answer));
        this.#wakeFeeder();
      } else if (this.#end !== undefined && this.#running === 0) {
        if ("failure" in this.#end) throw this.#end.failure;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }

  /** No more is taken. What runs goes on: it may be done already. */
  end(end: { readonly failure?: unknown }): void {
    this.#end ??= end;
    this.#wakeReader();
    this.#wakeFeeder();
  }

  async #take(requests: AsyncIterable<PipeRequest>): Promise<void> {
    for await (const request of requests) {
      while (this.#isFull && this.#end === undefined)
        await new Promise<void>((resolve) => {
          this.#wakeFeeder = resolve;
        });
      if (this.#end !== undefined) return;
      this.#start(request);
    }
  }

  get #isFull(): boolean {
    const { operations, operationBytes: bytes } = this.#limits;
    return this.#running + this.#answers.length >= operations || this.#bytes >= bytes;
  }

  #start(request: PipeRequest): void {
    const bytes = operationBytes(request);
    this.#running += 1;
    this.#bytes += bytes;
    void this.#operations.run(request, this.#room, this.#timeoutMs()).then((answer) => {
      this.#running -= 1;
      this.#bytes -= bytes;
      this.#answers.push(answer);
      this.#wakeReader();
      this.#wakeFeeder();
    });
  }
}

function ignore(): void {}
