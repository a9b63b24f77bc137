/** The watches of one client. */
import type { Revision } from "@dkv/store";
import { assert } from "../../platform/assert.ts";
import type { DkvError } from "../../platform/errors.ts";
import type { PreviousValues } from "./previous-values.ts";
import { type KnownEvents, messagesOf, type Portion, Queue, type Queued, type Room } from "./queue.ts";
import type { WatchMessage, WatchSpec, WatchStream } from "./watch.ts";
import type { Batch, Outlet, Watcher } from "./watcher.ts";

/** What all streams of a member share. */
export interface StreamHost {
  /** The current one. */
  readonly revision: Revision;
  readonly previous: Pick<PreviousValues, "read">;
  readonly room: Room;
  begin(watcher: Watcher): void;
  end(watcher: Watcher): void;
  /** There is room for them again. */
  resume(parked: readonly Watcher[]): void;
  /** Calls {@link Stream.serve} when all that happens at this moment has happened. */
  serveSoon(stream: Stream): void;
  /** Calls {@link Stream.advanced} when the revision is there. */
  awaitRevision(stream: Stream, revision: Revision): void;
  closed(stream: Stream): void;
  /** What the disk gives cannot be relied on. */
  failed(error: unknown): void;
}

/** Who waits for what {@link Stream.next} gives. */
interface Reader {
  readonly resolve: (messages: readonly WatchMessage[] | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class Stream implements WatchStream, Outlet {
  readonly #host: StreamHost;
  readonly #queue: Queue;
  readonly #watchers = new Map<number, Watcher>();
  readonly #parked = new Set<Watcher>();
  #wantsProgress = false;
  #reader: Reader | undefined;
  /** What goes out next waits for the disk. */
  #isReading = false;
  #isWoken = false;
  #end: "closed" | DkvError | undefined;

  constructor(host: StreamHost) {
    this.#host = host;
    this.#queue = new Queue(host.room);
  }

  get watchers(): Iterable<Watcher> {
    return this.#watchers.values();
  }

  create(id: number, spec: WatchSpec): Revision {
    assert(this.#end !== "closed", "nothing is created on a stream that was closed");
    if (this.#end !== undefined) throw this.#end;
    assert(!this.#watchers.has(id), "no two watches of a stream have the same id");
    const next = spec.startRevision > 0 ? spec.startRevision : this.#host.revision + 1;
    const watcher: Watcher = { id, spec, outlet: this, state: "over", next, group: undefined, slot: 0 };
    this.#host.begin(watcher);
    this.#watchers.set(id, watcher);
    return next - 1;
  }

  cancel(id: number): void {
    const watcher = this.#watchers.get(id);
    if (watcher === undefined) return;
    this.#watchers.delete(id);
    this.#drop(watcher);
    this.advanced();
  }

  requestProgress(): void {
    this.#wantsProgress = true;
    this.advanced();
  }

  toldThrough(id: number): Revision | undefined {
    const watcher = this.#watchers.get(id);
    const { revision } = this.#host;
    if (watcher === undefined || watcher.spec.startRevision > revision) return undefined;
    const queued = this.#queue.firstOf(watcher);
    if (queued !== undefined) return queued - 1;
    return watcher.state === "follows" ? revision : watcher.next - 1;
  }

  next(): Promise<readonly WatchMessage[] | undefined> {
    assert(this.#reader === undefined, "a stream is read by one at a time");
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.serve();
    });
  }

  close(): void {
    this.end("closed");
  }

  /** @param reason an error is what {@link next} rejects with from now on */
  end(reason: "closed" | DkvError): void {
    if (this.#end === "closed") return;
    const isFirst = this.#end === undefined;
    this.#end = reason;
    if (!isFirst) return;
    for (const watcher of this.#watchers.values()) this.#drop(watcher);
    this.#watchers.clear();
    this.#queue.clear();
    this.#host.closed(this);
    this.serve();
  }

  get isFull(): boolean {
    return this.#queue.isFull;
  }

  push(watcher: Watcher, batch: Batch): void {
    this.#queue.push({ kind: "events", watcher, batch });
    this.#wake();
  }

  park(watcher: Watcher): void {
    watcher.state = "parked";
    this.#parked.add(watcher);
  }

  compacted(watcher: Watcher, compactRevision: Revision): void {
    this.#queue.push({ kind: "compacted", watcher, compactRevision });
    this.#wake();
  }

  advanced(): void {
    if (this.#reader !== undefined && this.#isProgressDue()) this.#wake();
  }

  /** Gives the reader, if there is one, what there is to say. */
  serve(): void {
    this.#isWoken = false;
    while (this.#reader !== undefined && !this.#isReading) {
      if (this.#end !== undefined) {
        this.#sayEnd(this.#reader, this.#end);
        return;
      }
      const portion = this.#queue.portion();
      if (portion.unread.length > 0) void this.#readPrevious(portion);
      else if (!this.#handOut(portion.entries, noEvents)) return;
    }
  }

  #wake(): void {
    if (this.#reader === undefined || this.#isReading || this.#isWoken) return;
    this.#isWoken = true;
    this.#host.serveSoon(this);
  }

  /** False if there is nothing to say. */
  #handOut(entries: readonly Queued[], known: KnownEvents): boolean {
    const messages = messagesOf(
      // It may have been cancelled, and its id given to another one.
      entries.filter(({ watcher }) => this.#watchers.get(watcher.id) === watcher),
      known,
    );
    for (const message of messages) if (message.kind === "compacted") this.#watchers.delete(message.id);
    this.#queue.drop(entries.length);
    if (this.#queue.isEmpty) {
      if (this.#parked.size > 0) this.#resume();
      if (this.#isProgressDue()) messages.push(this.#progress());
    }
    if (messages.length > 0) this.#say(messages);
    return messages.length > 0 || !this.#queue.isEmpty;
  }

  #say(messages: readonly WatchMessage[]): void {
    this.#reader?.resolve(messages);
    this.#reader = undefined;
  }

  #sayEnd({ resolve, reject }: Reader, end: "closed" | DkvError): void {
    this.#reader = undefined;
    if (end === "closed") resolve(undefined);
    else reject(end);
  }

  /** Hands a portion out once it was read what its keys were before. */
  async #readPrevious({ entries, unread }: Portion): Promise<void> {
    const { length } = entries;
    this.#isReading = true;
    try {
      const events = await this.#host.previous.read(unread);
      const known = new Map(unread.map((batch, at) => [batch, events[at] ?? []]));
      this.#handOut(entries.slice(0, length), known);
    } catch (error) {
      // A member that stops ends its streams, and closes its disk.
      if (this.#end === undefined) this.#fail(error);
    } finally {
      this.#isReading = false;
    }
    this.serve();
  }

  #fail(error: unknown): void {
    this.#reader?.reject(error);
    this.#reader = undefined;
    this.#host.failed(error);
  }

  /** Whether progress is wanted, and nothing is left to queue; what is queued goes before it. */
  #isProgressDue(): boolean {
    if (!this.#wantsProgress || this.#end !== undefined) return false;
    let latestStart = 0;
    for (const { state, spec } of this.#watchers.values()) {
      if (state !== "follows") return false;
      latestStart = Math.max(latestStart, spec.startRevision);
    }
    if (latestStart <= this.#host.revision) return true;
    this.#host.awaitRevision(this, latestStart);
    return false;
  }

  #progress(): WatchMessage {
    this.#wantsProgress = false;
    return { kind: "progress", revision: this.#host.revision };
  }

  #drop(watcher: Watcher): void {
    this.#parked.delete(watcher);
    this.#host.end(watcher);
  }

  #resume(): void {
    const parked = [...this.#parked];
    this.#parked.clear();
    this.#host.resume(parked);
  }
}

const noEvents: KnownEvents = new Map();
