import { create } from "@bufbuild/protobuf";
import { RangeOperationSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { type Change, fromByteString, isWithin, type KeyValue, type Store } from "@dkv/store";
import type {
  WatchEvent,
  Watches,
  WatchMessage,
  WatchSpec,
  WatchStream,
} from "../../src/consensus/watch/watch.ts";

/** Watches that read everything from history. */
export class WatchesInMemory implements Watches {
  /** What opening and waiting fails with. */
  failure: Error | undefined;
  readonly #store: Store;
  readonly #streams = new Set<StreamInMemory>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Streams that are not closed. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** Messages that were asked for, over all streams. */
  calls = 0;

  open(): WatchStream {
    if (this.failure !== undefined) throw this.failure;
    const stream = new StreamInMemory(this.#store, {
      failure: () => this.failure,
      onNext: () => {
        this.calls += 1;
      },
      onClosed: () => this.#streams.delete(stream),
    });
    this.#streams.add(stream);
    return stream;
  }

  /** Something was applied, or the failure is set. */
  wake(): void {
    for (const stream of this.#streams) stream.wake();
  }
}

interface Watched extends WatchSpec {
  told: number;
}

interface Owner {
  readonly failure: () => Error | undefined;
  readonly onNext: () => void;
  readonly onClosed: () => void;
}

class StreamInMemory implements WatchStream {
  readonly #store: Store;
  readonly #owner: Owner;
  readonly #watches = new Map<number, Watched>();
  #wantsProgress = false;
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(store: Store, owner: Owner) {
    this.#store = store;
    this.#owner = owner;
  }

  create(id: number, spec: WatchSpec): number {
    const told = (spec.startRevision || this.#store.revision + 1) - 1;
    this.#watches.set(id, { ...spec, told });
    this.wake();
    return told;
  }

  cancel(id: number): void {
    this.#watches.delete(id);
  }

  requestProgress(): void {
    this.#wantsProgress = true;
    this.wake();
  }

  toldThrough(id: number): number | undefined {
    const watch = this.#watches.get(id);
    return watch !== undefined && this.#hasBegun(watch) ? watch.told : undefined;
  }

  async next(): Promise<readonly WatchMessage[] | undefined> {
    this.#owner.onNext();
    for (;;) {
      if (this.#isClosed) return undefined;
      const failure = this.#owner.failure();
      if (failure !== undefined) throw failure;
      // What is applied while history is read may be missing from it.
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const messages: WatchMessage[] = [];
      for (const [id, watch] of this.#watches) messages.push(...(await this.#messages(id, watch)));
      if (this.#wantsProgress && messages.length === 0) {
        this.#wantsProgress = false;
        messages.push({ kind: "progress", revision: this.#store.revision });
      }
      if (messages.length > 0) return messages;
      await promise;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#owner.onClosed();
    this.wake();
  }

  wake(): void {
    this.#wake();
  }

  #hasBegun({ startRevision }: WatchSpec): boolean {
    return startRevision <= this.#store.revision;
  }

  async #messages(id: number, watch: Watched): Promise<readonly WatchMessage[]> {
    const { compaction, revision } = this.#store;
    if (watch.told + 1 < compaction.revision) {
      this.#watches.delete(id);
      return [{ kind: "compacted", id, compactRevision: compaction.revision }];
    }
    const messages: WatchMessage[] = [];
    for await (const changes of this.#store.history({ revision: watch.told + 1, sub: 0 }, revision)) {
      for (const change of changes) {
        if (!isWithin(change.key, watch.interval)) continue;
        if (change.made.isDeleted ? !watch.wantDeletes : !watch.wantSets) continue;
        const event = await this.#event(change, watch);
        const last = messages.at(-1);
        const at = change.made.modRevision;
        if (last?.kind === "events" && last.revision === at)
          messages[messages.length - 1] = { ...last, events: [...last.events, event] };
        else messages.push({ kind: "events", id, revision: at, events: [event] });
      }
    }
    watch.told = Math.max(watch.told, revision);
    return messages;
  }

  async #event(change: Change, { wantPrevious }: Watched): Promise<WatchEvent> {
    const { key, previous: place } = change;
    const previous = wantPrevious && place !== undefined ? await this.#past(key, place.revision) : undefined;
    return { change, previous };
  }

  async #past(key: string, revision: number): Promise<KeyValue | undefined> {
    const operation = create(RangeOperationSchema, { key: fromByteString(key), revision: BigInt(revision) });
    const result = await this.#store.range(operation);
    return result.kind === "range" ? result.found[0] : undefined;
  }
}
