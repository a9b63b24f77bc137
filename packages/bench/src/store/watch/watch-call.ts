import type { Header } from "@dkv/http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { WatchRequestSchema } from "@dkv/protocol/dkv/v1/dkv";
import { Fields } from "../../grpc/fields.ts";
import { frameMessage } from "../../grpc/message.ts";
import { MessageReader } from "../../grpc/message-reader.ts";
import { StatusReader } from "../../grpc/status.ts";
import type { StreamedCall } from "../../http2/call.ts";
import type { Connection } from "../../http2/connection.ts";

export const watchPath = "/dkv.v1.DkvAPI/Watch";

/** Field numbers of WatchResponse, Event and KeyValue. */
const field = { events: 2, kv: 2, value: 2, modRevision: 4 } as const;

const statuses = new StatusReader();
const response = new Fields();
const event = new Fields();
const kv = new Fields();

export interface WatchCallDeps {
  readonly connection: Connection;
  readonly headers: readonly Header[];
  /** The member watches from now on. */
  readonly onBegun: () => void;
  /** An event came whose value begins with the moment of its write. */
  readonly onEvent: (writtenMs: number, toldMs: number) => void;
}

/** One watch of a prefix: what it is told is counted, and held against what it was told before. */
export class WatchCall implements StreamedCall {
  readonly headers: readonly Header[];
  readonly #deps: WatchCallDeps;
  readonly #reader = new MessageReader((source, start, end) => {
    this.#onMessage(source, start, end);
  });
  #hasBegun = false;
  #events = 0;
  #lastRevision = 0;
  #misplaced = 0;
  #ending: string | undefined;

  private constructor(deps: WatchCallDeps) {
    this.#deps = deps;
    this.headers = deps.headers;
  }

  /** The connection is flushed by the caller. */
  static begin(prefix: string, deps: WatchCallDeps): WatchCall {
    const call = new WatchCall(deps);
    const upload = deps.connection.open(call);
    const keys = { keys: { case: "prefix", value: prefix } } as const;
    upload.send(frameMessage(toBinary(WatchRequestSchema, create(WatchRequestSchema, { keys }))));
    upload.end();
    return call;
  }

  get events(): number {
    return this.#events;
  }

  /** Events of a revision that is not behind the one before. Each write has its own, so there should be none. */
  get misplaced(): number {
    return this.#misplaced;
  }

  /** Why it has ended; undefined while it goes on. */
  get ending(): string | undefined {
    return this.#ending;
  }

  onData(source: Buffer, start: number, end: number): void {
    this.#reader.accept(source, start, end);
  }

  onEnd(source: Buffer, start: number, end: number): void {
    const { code, message } = statuses.read(source, start, end);
    this.onFailure(`gRPC status ${code ?? "missing"}: ${message}`);
  }

  onFailure(reason: string): void {
    this.#ending = reason;
    this.#begun();
  }

  #begun(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#deps.onBegun();
  }

  #onMessage(source: Buffer, start: number, end: number): void {
    this.#begun();
    response.open(source, start, end);
    while (response.next()) if (response.field === field.events) this.#onEvent(source);
  }

  #onEvent(source: Buffer): void {
    event.open(source, response.start, response.end);
    while (event.next()) if (event.field === field.kv) kv.open(source, event.start, event.end);
    let writtenMs = 0;
    let revision = 0;
    while (kv.next()) {
      if (kv.field === field.value) writtenMs = source.readDoubleBE(kv.start);
      if (kv.field === field.modRevision) revision = kv.number;
    }
    this.#events += 1;
    if (revision <= this.#lastRevision) this.#misplaced += 1;
    this.#lastRevision = revision;
    this.#deps.onEvent(writtenMs, this.#deps.connection.receivedAtMs);
  }
}
