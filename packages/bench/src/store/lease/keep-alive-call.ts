import type { Header } from "@dkv/http2";
import { frameMessage } from "../../grpc/message.ts";
import { MessageReader } from "../../grpc/message-reader.ts";
import { StatusReader } from "../../grpc/status.ts";
import type { StreamedCall } from "../../http2/call.ts";
import type { Connection } from "../../http2/connection.ts";
import type { Upload } from "../../http2/upload.ts";
import { encodeKeepAlive, readKeptAlive } from "./messages.ts";

const statuses = new StatusReader();

/** A keep-alive that is not answered yet. */
export interface Asked {
  readonly lease: number;
  /** When it was meant to be sent. */
  readonly intendedMs: number;
}

export interface Answered extends Asked {
  /** What the lease has from now on; 0: it is gone. */
  readonly ttlSeconds: number;
  readonly answeredMs: number;
}

export interface KeepAliveCallDeps {
  readonly connection: Connection;
  readonly headers: readonly Header[];
  readonly onAnswer: (answered: Answered) => void;
  /** It has ended, and there will be no answer to these. */
  readonly onEnded: (reason: string, unanswered: readonly Asked[]) => void;
}

/** One stream of LeaseKeepAlive, shared by many leases. Its answers come in the order of its requests. */
export class KeepAliveCall implements StreamedCall {
  readonly headers: readonly Header[];
  readonly #deps: KeepAliveCallDeps;
  readonly #upload: Upload;
  readonly #waiting: Asked[] = [];
  #hasEnded = false;
  readonly #reader = new MessageReader((source, start, end) => {
    this.#onMessage(source, start, end);
  });

  /** The connection is flushed by the caller. */
  constructor(deps: KeepAliveCallDeps) {
    this.#deps = deps;
    this.headers = deps.headers;
    this.#upload = deps.connection.open(this);
  }

  /** Keep-alives without an answer. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Not when it has ended. The connection is flushed by the caller. */
  ask(asked: Asked): void {
    this.#waiting.push(asked);
    this.#upload.send(frameMessage(encodeKeepAlive(asked.lease)));
  }

  onData(source: Buffer, start: number, end: number): void {
    this.#reader.accept(source, start, end);
  }

  onEnd(source: Buffer, start: number, end: number): void {
    const { code, message } = statuses.read(source, start, end);
    this.onFailure(`gRPC status ${code ?? "missing"}: ${message}`);
  }

  onFailure(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#deps.onEnded(reason, this.#waiting.splice(0));
  }

  #onMessage(source: Buffer, start: number, end: number): void {
    const { lease, ttlSeconds } = readKeptAlive(source, start, end);
    const asked = this.#waiting.shift();
    if (asked?.lease !== lease) throw new Error(`an answer about lease ${lease}, which is not its turn`);
    this.#deps.onAnswer({ ...asked, ttlSeconds, answeredMs: this.#deps.connection.receivedAtMs });
  }
}
