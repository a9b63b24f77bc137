/**
 * The watches of one who may not watch anything: each is cancelled as it is created, with the reason, and the
 * stream goes on. A client of etcd whose token is not good any more looks for that.
 */
import { Code } from "@connectrpc/connect";
import { WatchRequestSchema } from "@dkv/protocol/etcdserverpb/rpc";
import type { Member } from "../../consensus/member.ts";
import type { ErrorTranslator } from "../errors.ts";
import type { StreamCall, StreamClient } from "../stream-method.ts";
import { decode } from "../unary-method.ts";
import { noWatchId, type WatchFrames } from "./encoding/watch-frames.ts";

interface Deps {
  readonly member: Pick<Member, "status">;
  readonly translate: ErrorTranslator;
}

/** As errors are written in Go. */
export function reasonOf(error: unknown, { translate }: Pick<Deps, "translate">): string {
  const { code, rawMessage } = translate(error);
  return `rpc error: code = ${Code[code]} desc = ${rawMessage}`;
}

interface Refusal {
  readonly error: unknown;
  readonly deps: Deps;
  readonly frames: WatchFrames;
}

export class RefusedWatches implements StreamCall {
  readonly #client: StreamClient;
  readonly #refusal: Refusal;
  #isBlocked = false;

  constructor(client: StreamClient, refusal: Refusal) {
    this.#client = client;
    this.#refusal = refusal;
  }

  get isFull(): boolean {
    return this.#isBlocked;
  }

  onMessage(message: Buffer): void {
    const { error, deps, frames } = this.#refusal;
    if (decode(WatchRequestSchema, message).requestUnion.case !== "createRequest") return;
    const status = deps.member.status();
    const frame = frames.control(status, {
      watchId: noWatchId,
      revision: status.revision,
      created: true,
      canceled: true,
      cancelReason: reasonOf(error, deps),
    });
    this.#isBlocked = this.#client.send(frame) === "waits";
  }

  onPause(): void {}

  onEnd(): void {
    this.#client.end();
  }

  onDrain(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#client.resume();
  }

  onAbort(): void {}
}
