/**
 * Watch on the fast path of gRPC.
 *
 *     changes of one revision ──► one frame ──► the streams of all who want them, one write a connection
 *
 * A stream whose client takes nothing asks its member for nothing: what it is not told now it is told from
 * history.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { DkvAPI, type WatchRequest, WatchRequestSchema } from "@dkv/protocol/dkv/v1/dkv";
import type { Member, WatchMessage, WatchStream } from "../../consensus/member.ts";
import type { Clock } from "../../platform/clock.ts";
import type { StreamCall, StreamClient, StreamMethod } from "../stream-method.ts";
import { decode } from "../unary-method.ts";
import { headerOf } from "./answers.ts";
import { type EventBatch, WatchFrames } from "./encoding/watch-frames.ts";
import { compacted, type Group, groupsOf, Progress, specOf, throughOf, watchId } from "./watch-events.ts";

export interface WatchDeps {
  readonly member: Pick<Member, "watches" | "status">;
  readonly clock: Clock;
}

export function watchMethod(deps: WatchDeps): StreamMethod {
  const frames = new WatchFrames();
  return {
    path: `/${DkvAPI.typeName}/${DkvAPI.method.watch.name}`,
    requests: "one",
    open: (client) => new WatchCall(client, deps, frames),
  };
}

class WatchCall implements StreamCall {
  readonly isFull = false;
  readonly #client: StreamClient;
  readonly #deps: WatchDeps;
  readonly #frames: WatchFrames;
  #request: WatchRequest | undefined;
  #stream: WatchStream | undefined;
  #progress: Progress | undefined;
  /** What is to be told next, and was not sent. */
  #groups: readonly Group[] = [];
  #sent = 0;
  /** Whether the client takes no more for now. */
  #isBlocked = false;
  #isOver = false;
  readonly #onMessages = (messages: readonly WatchMessage[] | undefined): void => {
    if (this.#isOver || messages === undefined) return;
    this.#groups = groupsOf(messages);
    this.#sent = 0;
    this.#goOn();
  };
  readonly #onFailure = (error: unknown): void => {
    this.#end(error);
  };

  constructor(client: StreamClient, deps: WatchDeps, frames: WatchFrames) {
    this.#client = client;
    this.#deps = deps;
    this.#frames = frames;
  }

  onMessage(message: Buffer): void {
    if (this.#request !== undefined)
      throw unimplemented("protocol error: received extra input message for server-streaming method");
    this.#request = decode(WatchRequestSchema, message);
  }

  onPause(): void {}

  onEnd(): void {
    if (this.#request === undefined)
      this.#end(unimplemented("protocol error: missing input message for server-streaming method"));
    else this.#begin(this.#request);
  }

  onFault(): void {
    this.#end(undefined);
  }

  onDrain(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#goOn();
  }

  onAbort(): void {
    this.#close();
  }

  #begin(request: WatchRequest): void {
    const { member, clock } = this.#deps;
    try {
      const spec = specOf(request);
      const stream = member.watches.open();
      this.#stream = stream;
      this.#progress = new Progress(stream, request.progressSeconds, clock);
      this.#send([], stream.create(watchId, spec));
    } catch (error) {
      this.#end(error);
      return;
    }
    this.#goOn();
  }

  /** Sends what there is as far as the client takes it, then asks for more. */
  #goOn(): void {
    while (!this.#isBlocked && !this.#isOver) {
      const group = this.#groups[this.#sent];
      if (group === undefined) {
        this.#ask();
        return;
      }
      this.#sent += 1;
      this.#tell(group);
    }
  }

  #ask(): void {
    this.#groups = [];
    this.#progress?.wait();
    this.#stream?.next().then(this.#onMessages, this.#onFailure);
  }

  #tell(group: Group): void {
    switch (group.kind) {
      case "events":
        this.#send(group.list, throughOf(group.list));
        return;
      case "progress":
        this.#send([], group.revision);
        return;
      case "compacted":
        this.#end(compacted(group.compactRevision));
        return;
      case "forbidden":
        this.#end(group.error);
    }
  }

  #send(batches: readonly EventBatch[], revision: number): void {
    const frame = this.#frames.frame(headerOf(this.#deps.member), batches, revision);
    this.#isBlocked = this.#client.send(frame) === "waits";
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#close();
    this.#client.end(error);
  }

  #close(): void {
    this.#isOver = true;
    this.#groups = [];
    this.#progress?.stop();
    this.#stream?.close();
  }
}

const unimplemented = (message: string): ConnectError => new ConnectError(message, Code.Unimplemented);
