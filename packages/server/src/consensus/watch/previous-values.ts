/**
 * What keys were before they were changed. It is read when events are about to leave, not when they are made:
 * whoever reads slowly then holds none of it, and applying waits for no disk. Those who watch the same are
 * told at almost the same time, and share what was read.
 */
import type { KeyValue, Store } from "@dkv/store";
import { changeBytes } from "./stretch.ts";
import type { WatchEvent } from "./watch.ts";
import type { Batch } from "./watcher.ts";

type Events = readonly WatchEvent[];

/** Memory that is kept for those who come a little later. */
const keptBytes = 4 * 2 ** 20;

interface Read {
  readonly events: Promise<Events>;
  /** 0 while it is being read. */
  bytes: number;
}

export class PreviousValues {
  readonly #store: Pick<Store, "previous">;
  /** In the order in which they were asked for. */
  readonly #known = new Map<Batch, Read>();
  #bytes = 0;

  constructor(store: Pick<Store, "previous">) {
    this.#store = store;
  }

  /** The events of batches that have none. Rejects with a DamagedRecordError. */
  async read(batches: readonly Batch[]): Promise<readonly Events[]> {
    const missing = batches.filter((batch) => !this.#known.has(batch));
    if (missing.length > 0) this.#begin(missing);
    return Promise.all(batches.flatMap((batch) => this.#known.get(batch)?.events ?? []));
  }

  #begin(batches: readonly Batch[]): void {
    const reading = this.#store.previous(batches.flatMap(({ changes }) => changes));
    let start = 0;
    for (const batch of batches) {
      const at = start;
      const events = reading.then((previous) =>
        batch.changes.map((change, position) => ({ change, previous: previous[at + position] })),
      );
      start += batch.changes.length;
      const read: Read = { events, bytes: 0 };
      this.#known.set(batch, read);
      events.then(
        (known) => {
          if (this.#known.get(batch) === read) this.#keep(read, known);
        },
        () => this.#known.delete(batch),
      );
    }
  }

  #keep(read: Read, events: Events): void {
    read.bytes = events.reduce((sum, event) => sum + eventBytes(event), 0);
    this.#bytes += read.bytes;
    for (const [batch, oldest] of this.#known) {
      if (this.#bytes <= keptBytes) return;
      this.#known.delete(batch);
      this.#bytes -= oldest.bytes;
    }
  }
}

const eventBytes = ({ change, previous }: WatchEvent): number => changeBytes(change) + sizeOf(previous);

const sizeOf = (previous: KeyValue | undefined): number =>
  previous === undefined ? 0 : previous.key.length + previous.value.length;
