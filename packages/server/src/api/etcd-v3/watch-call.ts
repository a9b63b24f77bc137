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
import { type Progressing, WatchProgress } from "./watch-progress.ts";
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

interface Entry extends Progressing {
  readonly id: bigint;
  readonly wantsProgress: boolean;
  readonly inFragments: boolean;
}

/** Why a watch is cancelled as it is created, and others of the stream are not, as far as that goes. */
const refusedAlone: ReadonlySet<ErrorCode> = new Set(["permissionDenied", "userEmpty", "invalidAuthToken"]);

/** The id with which a client asks to have one chosen. */
const anyId = 0n;

/** Whose history was given up and which their client has not cancelled: it may never do so. */
const mostLost = 1000;

class WatchCall implements StreamCall {
  readonly #client: StreamClient;
  readonly #deps: WatchDeps;
  readonly #frames: WatchFrames;
  #stream: WatchStream | undefined;
  #progress: WatchProgress<Entry> | undefined;
  /** One whose history was given up keeps its id until its client cancels it, or many more were given up. */
  readonly #entries = new Map<bigint, Entry>();
  /** Those, in the order in which it happened. */
  readonly #lost = new Set<bigint>();
  /** Those that go on, as the member's stream knows them, where numbers are never used again. */
  readonly #numbered = new Map<number, Entry>();
  #nextId = 0n;
  #nextNumber = 1;
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
        if (this.#numbered.size > 0) this.#progress?.request();
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
    if (request.watchId !== anyId && this.#entries.has(request.watchId)) {
      this.#refuse("mvcc: duplicate watch ID provided on the WatchStream");
      return;
    }
    const number = this.#nextNumber;
    try {
      const stream = this.#open();
      const revision = this.#revision;
      stream.create(number, asked.spec);
      this.#nextNumber += 1;
      this.#progress?.created();
      const entry = this.#register(request, number);
      this.#control({ watchId: entry.id, revision, created: true });
      this.#goOn();
    } catch (error) {
      const code = error instanceof DkvError ? error.code : undefined;
      if (code === "overloaded") this.#refuse(etcdErrorText("tooManyRequests"));
      else if (code !== undefined && refusedAlone.has(code)) this.#refuse(reasonOf(error, this.#deps));
      else this.#end(error);
    }
  }

  #register({ watchId, progressNotify, fragment }: WatchCreateRequest, number: number): Entry {
    const id = watchId === anyId ? this.#chosenId() : watchId;
    const entry = { id, number, wantsProgress: progressNotify, inFragments: fragment, wasTold: false };
    this.#entries.set(id, entry);
    this.#numbered.set(number, entry);
    return entry;
  }

  #chosenId(): bigint {
    while (this.#entries.has(this.#nextId)) this.#nextId += 1n;
    const id = this.#nextId;
    this.#nextId += 1n;
    return id;
  }

  #cancel(id: bigint): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#forget(id);
    if (this.#numbered.delete(entry.number)) this.#stream?.cancel(entry.number);
    this.#control({ watchId: id, revision: this.#revision, canceled: true });
  }

  #forget(id: bigint): void {
    this.#entries.delete(id);
    this.#lost.delete(id);
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
      watches: () =>
        this.#isAsking ? [...this.#numbered.values()].filter(({ wantsProgress }) => wantsProgress) : [],
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
    const entry = this.#numbered.get(group.id);
    if (entry === undefined) return;
    if (group.kind === "compacted") this.#lose(entry, group.compactRevision);
    else if (group.kind === "forbidden") this.#forbid(entry, group.error);
    else this.#tellEvents(entry, group);
  }

  #lose({ id, number }: Entry, compactRevision: Revision): void {
    this.#numbered.delete(number);
    this.#lost.add(id);
    const [oldest = id] = this.#lost;
    if (this.#lost.size > mostLost) this.#forget(oldest);
    this.#control({ watchId: id, revision: 0, canceled: true, compactRevision });
  }

  #forbid({ id, number }: Entry, error: DkvError): void {
    this.#numbered.delete(number);
    this.#entries.delete(id);
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
