/**
 * Pipe on the fast path of gRPC.
 *
 *     bytes of one turn ──► requests ──► proposed, or read after one confirmation for all
 *                                                     │
 *     one write  ◄── answers in the order in which they are done
 */
import assert from "node:assert/strict";
import { DkvAPI, PipeRequestSchema } from "@dkv/protocol/dkv/v1/dkv";
import { plainSet } from "@dkv/store";
import type { CommandResult, Member } from "../../../consensus/member.ts";
import { DkvError } from "../../../platform/errors.ts";
import type { StreamCall, StreamClient, StreamMethod } from "../../stream-method.ts";
import { decode } from "../../unary-method.ts";
import { type AnswerHeader, headerOf } from "../answers.ts";
import { plainDelete } from "../commands.ts";
import { answerBytes } from "./answer-bytes.ts";
import { AnswerFrames, type Settled } from "./answer-frames.ts";
import { AnswerRoom } from "./answer-room.ts";
import type { PipeLimits } from "./limits.ts";
import type { PipeOperations } from "./operations.ts";
import { faultOf, type PlainGet, type PlainRequest, readPlainPiped } from "../plain-request.ts";

/** A read, and whose it is. */
interface PipedGet extends PlainGet {
  readonly id: number;
}

export interface PipeDeps {
  readonly member: Member;
  readonly operations: PipeOperations;
  /** Most bytes of key and value together. */
  readonly maxRequestBytes: number;
  readonly limits: PipeLimits;
}

export function pipeMethod(deps: PipeDeps): StreamMethod {
  const frames = new AnswerFrames();
  return {
    path: `/${DkvAPI.typeName}/${DkvAPI.method.pipe.name}`,
    requests: "many",
    open: (client) => new PipedCall(client, deps, frames),
  };
}

class PipedCall implements StreamCall {
  readonly #client: StreamClient;
  readonly #deps: PipeDeps;
  readonly #frames: AnswerFrames;
  readonly #room: AnswerRoom;
  /** Operations that run, and bytes of their requests. */
  #running = 0;
  #bytes = 0;
  /** Reads that came since the last pause, and wait for one confirmation. */
  #gets: PipedGet[] = [];
  /** Reads that may be done, and wait for room. */
  #ready: PipedGet[] = [];
  #answers: Settled[] = [];
  /** Bytes of values in what the client has not taken yet. */
  #untakenBytes = 0;
  /** Whether the client takes no more for now. */
  #isBlocked = false;
  #isScheduled = false;
  #hasEnd = false;
  #isGone = false;
  readonly #flush = (): void => {
    this.#isScheduled = false;
    this.#send();
  };

  constructor(client: StreamClient, deps: PipeDeps, frames: AnswerFrames) {
    this.#client = client;
    this.#deps = deps;
    this.#frames = frames;
    this.#room = new AnswerRoom(deps.limits.answerBytes);
  }

  get isFull(): boolean {
    const { operations, operationBytes } = this.#deps.limits;
    return (
      this.#isBlocked || this.#running + this.#answers.length >= operations || this.#bytes >= operationBytes
    );
  }

  onMessage(message: Buffer): void {
    const plain = readPlainPiped(message);
    if (plain === undefined) this.#startGeneral(message);
    else this.#startPlain(plain.request, plain.id, message.length);
  }

  /** All reads that came together are confirmed together. */
  onPause(): void {
    if (this.#gets.length === 0) return;
    const gets = this.#gets;
    this.#gets = [];
    this.#deps.member.readBarrier().then(
      () => {
        this.#ready.push(...gets);
        this.#readReady();
      },
      (error: unknown) => {
        for (const { id } of gets) this.#failed(id, error);
      },
    );
  }

  onEnd(): void {
    this.#hasEnd = true;
    this.onPause();
    this.#endIfDone();
  }

  onDrain(): void {
    this.#isBlocked = false;
    this.#room.release(this.#untakenBytes);
    this.#untakenBytes = 0;
    this.#send();
  }

  /** What runs goes on: it may be done already. */
  onAbort(): void {
    this.#isGone = true;
    this.#answers = [];
    this.#ready = [];
  }

  #startPlain(request: PlainRequest, id: number, bytes: number): void {
    this.#running += 1;
    const fault = faultOf(request, this.#deps.maxRequestBytes);
    if (fault !== undefined) {
      this.#failed(id, fault);
      return;
    }
    switch (request.kind) {
      case "set":
        this.#propose(id, { case: "set", value: plainSet(request.key, request.value) }, bytes);
        return;
      case "delete":
        this.#propose(id, { case: "delete", value: plainDelete(request.key) }, bytes);
        return;
      case "get":
        (request.isSerializable ? this.#ready : this.#gets).push({ id, ...request });
        if (request.isSerializable) this.#readReady();
    }
  }

  #propose(id: number, operation: Parameters<Member["propose"]>[0], bytes: number): void {
    this.#bytes += bytes;
    const { member } = this.#deps;
    member.propose(operation).then(
      (result) => {
        this.#bytes -= bytes;
        this.#settled(settledWrite(id, result, headerOf(member, result.revision)));
      },
      (error: unknown) => {
        this.#bytes -= bytes;
        this.#failed(id, error);
      },
    );
  }

  #startGeneral(message: Buffer): void {
    const request = decode(PipeRequestSchema, message);
    this.#running += 1;
    this.#bytes += message.length;
    void this.#deps.operations.run(request, this.#room).then((answer) => {
      this.#bytes -= message.length;
      this.#settled({ kind: "general", answer });
    });
  }

  /** As many reads as there is room for. */
  #readReady(): void {
    let done = 0;
    for (const { id, key } of this.#ready) {
      if (!this.#room.isOpen) break;
      done += 1;
      this.#read(id, key);
    }
    this.#ready = this.#ready.slice(done);
  }

  #read(id: number, key: Buffer): void {
    const { member } = this.#deps;
    try {
      const found = member.get(key);
      if (found === undefined) throw new DkvError("keyNotFound", "key not found");
      this.#room.take(found.value.length);
      this.#settled({ kind: "get", id, answer: { header: headerOf(member), found } });
    } catch (error) {
      this.#failed(id, error);
    }
  }

  #failed(id: number, error: unknown): void {
    this.#settled({ kind: "general", answer: this.#deps.operations.failed(BigInt(id), error) });
  }

  #settled(settled: Settled): void {
    this.#running -= 1;
    if (this.#isGone) return;
    this.#answers.push(settled);
    if (this.#isScheduled || this.#isBlocked) return;
    this.#isScheduled = true;
    // Behind all other promises that settle in this turn.
    process.nextTick(this.#flush);
  }

  #send(): void {
    if (this.#isGone || this.#isBlocked) return;
    if (this.#answers.length > 0) this.#sendAnswers();
    this.#readReady();
    this.#client.resume();
    this.#endIfDone();
  }

  #sendAnswers(): void {
    const answers = this.#answers;
    this.#answers = [];
    for (const settled of answers) this.#untakenBytes += valueBytes(settled);
    this.#isBlocked = this.#client.send(this.#frames.encode(answers)) === "waits";
    if (this.#isBlocked) return;
    this.#room.release(this.#untakenBytes);
    this.#untakenBytes = 0;
  }

  #endIfDone(): void {
    if (this.#hasEnd && this.#running === 0 && this.#answers.length === 0 && !this.#isBlocked)
      this.#client.end();
  }
}

function settledWrite(id: number, result: CommandResult, header: AnswerHeader): Settled {
  if (result.kind === "set") return { kind: "set", id, answer: { header, previous: undefined } };
  assert(result.kind === "delete", "a plain write is a set or a delete");
  return { kind: "delete", id, answer: { header, deleted: result.deleted > 0, previous: undefined } };
}

/** Those that the room was told of. */
function valueBytes(settled: Settled): number {
  if (settled.kind === "get") return settled.answer.found.value.length;
  return settled.kind === "general" ? answerBytes(settled.answer) : 0;
}
