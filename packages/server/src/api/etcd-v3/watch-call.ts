/**
 * Watch: any number of watches on one stream.
 *
 * A stream whose client takes nothing asks its member for nothing, and reads no requests: what it is not told
 * now it is told from history. That a watch was created is said before its first event is asked for.
 */
import { Watch, type WatchCreateRequest, WatchRequestSchema } from "@dkv/protocol/etcdserverpb/rpc";
import type { Revision } from "@dkv/store";
import type { Member, WatchMessage, WatchStream } from "../../consensus/member.ts";
import type { Clock } from "../../platform/clock.ts";
import { DkvError, type ErrorCode } from "../../platform/errors.ts";
import type { ErrorTranslator } from "../errors.ts";
import type { StreamCall, StreamClient, StreamMethod } from "../stream-method.ts";
import { decode } from "../unary-method.ts";
import { type ControlAnswer, noWatchId, WatchFrames } from "./encoding/watch-frames.ts";
import { etcdErrorText } from "./errors.ts";
import { reasonOf, RefusedWatches } from "./refused-watches.ts";
import { type Entry, WatchEntries } from "./watch-entries.ts";
import { WatchProgress } from "./watch-progress.ts";
import { type Group, groupsOf, specOf } from "./watch-requests.ts";

export interface WatchDeps {
  readonly member: Pick<Member, "watches" | "status">;
  readonly clock: Clock;
  readonly translate: ErrorTranslator;
  /** Time between two times at which watches are told how far they have come. */
  readonly progressIntervalMs: number;
  /** An answer that is larger comes in fragments where that is allowed. */
  readonly fragmentBytes: number;
}

export function watchMethod(deps: WatchDeps): StreamMethod {
  const frames = new WatchFrames();
  return {
    path: `/${Watch.typeName}/${Watch.method.watch.name}`,
    requests: "many",
    translate: deps.translate,
    open: (client) => new WatchCall(client, deps, frames),
    refused: (client, error) => new RefusedWatches(client, { error, deps, frames }),
  };
}

/** Why a watch is cancelled as it is created, and others of the stream are not, as far as that goes. */
const refusedAlone: ReadonlySet<ErrorCode> = new Set(["permissionDenied", "userEmpty", "invalidAuthToken"]);

class WatchCall implements StreamCall {
  readonly #client: StreamClient;
  readonly #deps: WatchDeps;
  readonly #frames: WatchFrames;
  #stream: WatchStream | undefined;
  #progress: WatchProgress<Entry> | undefined;
  readonly #entries = new WatchEntries();
  /** What is to be told next, and was not sent. */
  #groups: readonly Group[] = [];
  #sent = 0;
  #isAsking = false;
  /** Whether the client takes no more for now. */
  #isBlocked = false;
  #isOver = false;
  readonly #onMessages = (messages: readonly WatchMessage[] | undefined): void => {
    this.#isAsking = false;
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

  get isFull(): boolean {
    return this.#isBlocked;
  }

  onMessage(message: Buffer): void {
    const { requestUnion } = decode(WatchRequestSchema, message);
    switch (requestUnion.case) {
      case "createRequest":
        this.#create(requestUnion.value);
        return;
      case "cancelRequest":
        this.#cancel(requestUnion.value.watchId);
        return;
      case "progressRequest":
        if (this.#entries.size > 0) this.#progress?.request();
        return;
      case undefined:
    }
  }

  onPause(): void {}

  /** Who has nothing more to ask for may still listen. */
  onEnd(): void {}

  onFault(): void {
    this.#end(undefined);
  }

  onDrain(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#client.resume();
    this.#goOn();
  }

  onAbort(): void {
    this.#close();
  }

  #create(request: WatchCreateRequest): void {
    const asked = specOf(request);
    if (asked.kind === "refused") {
      this.#refuse(asked.reason);
      return;
    }
    if (this.#entries.isTaken(request.watchId)) {
      this.#refuse("mvcc: duplicate watch ID provided on the WatchStream");
      return;
    }
    try {
      const stream = this.#open();
      const revision = this.#revision;
      stream.create(this.#entries.nextNumber, asked.spec);
      this.#progress?.created();
      const { id } = this.#entries.add(request);
      this.#control({ watchId: id, revision, created: true });
      this.#goOn();
    } catch (error) {
      const code = error instanceof DkvError ? error.code : undefined;
      if (code === "overloaded") this.#refuse(etcdErrorText("tooManyRequests"));
      else if (code !== undefined && refusedAlone.has(code)) this.#refuse(reasonOf(error, this.#deps));
      else this.#end(error);
    }
  }

  #cancel(id: bigint): void {
    const canceled = this.#entries.cancel(id);
    if (canceled === undefined) return;
    if (canceled.number !== undefined) this.#stream?.cancel(canceled.number);
    this.#control({ watchId: id, revision: this.#revision, canceled: true });
  }

  #refuse(cancelReason: string): void {
    this.#control({
      watchId: noWatchId,
      revision: this.#revision,
      created: true,
      canceled: true,
      cancelReason,
    });
  }

  /** Throws a DkvError. */
  #open(): WatchStream {
    if (this.#stream !== undefined) return this.#stream;
    const { member, clock, progressIntervalMs: intervalMs } = this.#deps;
    const stream = member.watches.open();
    this.#stream = stream;
    this.#progress = new WatchProgress(stream, {
      clock,
      intervalMs,
      // While nothing is asked for, something that was handed out waits for the client.
      watches: () => (this.#isAsking ? this.#entries.progressing() : []),
      tell: ({ id }, through) => {
        this.#control({ watchId: id, revision: through });
      },
    });
    return stream;
  }

  /** Sends what there is as far as the client takes it, then asks for more. */
  #goOn(): void {
    while (!this.#isBlocked && !this.#isOver && !this.#isAsking) {
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
    this.#sent = 0;
    // All watches so far may have been refused.
    if (this.#stream === undefined) return;
    this.#isAsking = true;
    this.#stream.next().then(this.#onMessages, this.#onFailure);
  }

  #tell(group: Group): void {
    if (group.kind === "progress") {
      if (this.#progress?.isAnswered() === true)
        this.#control({ watchId: noWatchId, revision: group.revision });
      return;
    }
    // It may have been cancelled since this was told.
    const entry = this.#entries.numbered(group.id);
    if (entry === undefined) return;
    if (group.kind === "compacted") this.#lose(entry, group.compactRevision);
    else if (group.kind === "forbidden") this.#forbid(entry, group.error);
    else this.#tellEvents(entry, group);
  }

  #lose(entry: Entry, compactRevision: Revision): void {
    this.#entries.lose(entry);
    this.#control({ watchId: entry.id, revision: 0, canceled: true, compactRevision });
  }

  #forbid({ id }: Entry, error: DkvError): void {
    this.#entries.cancel(id);
    const cancelReason = reasonOf(error, this.#deps);
    this.#control({ watchId: id, revision: this.#revision, canceled: true, cancelReason });
  }

  #tellEvents(entry: Entry, { list }: Extract<Group, { kind: "events" }>): void {
    const { member, fragmentBytes } = this.#deps;
    const answer = { watchId: entry.id, revision: list.at(-1)?.revision ?? 0, batches: list };
    const status = member.status();
    const frame = this.#frames.events(status, answer);
    entry.wasTold = true;
    const isLarge = entry.inFragments && frame.length > fragmentBytes;
    this.#send(isLarge ? this.#frames.fragments(status, answer, fragmentBytes) : frame);
  }

  #control(answer: ControlAnswer): void {
    this.#send(this.#frames.control(this.#deps.member.status(), answer));
  }

  #send(frame: Buffer): void {
    if (this.#client.send(frame) === "waits") this.#isBlocked = true;
  }

  get #revision(): Revision {
    return this.#deps.member.status().revision;
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
