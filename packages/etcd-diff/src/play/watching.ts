import { create, type DescMethodBiDiStreaming } from "@bufbuild/protobuf";
import { Event_EventType as EventType } from "@dkv/protocol/mvccpb/kv";
import {
  type WatchCreateRequest,
  WatchCreateRequestSchema,
  type WatchResponse,
} from "@dkv/protocol/etcdserverpb/rpc";
import type { Convert, Plain, PlainMessage } from "../message/plain.ts";
import { ServerError } from "../servers/server.ts";
import type { Change } from "./history.ts";
import { methodOf, type Wire } from "./wire.ts";
import { WatchStream } from "./watch-stream.ts";

/** What was delivered, by the serial number of the watcher: 0 is the one that watches everything. */
export interface Deliveries {
  readonly watchers: ReadonlyMap<number, readonly Plain[]>;
  readonly faults: readonly string[];
}

interface Creation {
  readonly request: WatchCreateRequest;
  readonly isTooLate: boolean;
  readonly now: number;
}

const method = methodOf("Watch/Watch") as DescMethodBiDiStreaming;

/** An id that no watcher has. */
const nobody = 12_345n;

/**
 * The watches on one server: those of the steps, on one stream at a time, and on a stream of its own one that
 * watches everything from the beginning, by which it is known what the others have to get.
 */
export class Watching {
  readonly #wire: Wire;
  readonly #convert: Convert;
  readonly #history: Change[] = [];
  readonly #everything: WatchStream;
  #stream: WatchStream | undefined;
  #deliveries = new Map<number, Plain[]>();
  readonly #faults: string[] = [];
  #created = 0;

  constructor(wire: Wire, convert: Convert) {
    this.#wire = wire;
    this.#convert = convert;
    this.#everything = this.#open(undefined, (response) => {
      this.#remember(response);
    });
  }

  /** Resolves when everything is watched. */
  async begin(): Promise<void> {
    const request = create(WatchCreateRequestSchema, {
      key: Uint8Array.of(0),
      rangeEnd: Uint8Array.of(0),
      prevKv: true,
    });
    const answer = await this.#everything.create({ request, serial: 0, isTooLate: false, now: 1 });
    if (answer["created"] !== true)
      throw new ServerError(`everything cannot be watched: ${JSON.stringify(answer)}`);
  }

  create(creation: Creation, token: string | undefined): Promise<PlainMessage> {
    this.#stream ??= this.#open(token, () => undefined);
    this.#created += 1;
    return this.#stream.create({ ...creation, serial: this.#created });
  }

  cancel(id: bigint): Promise<PlainMessage> {
    return this.#stream?.cancel(id) ?? Promise.resolve({});
  }

  /**
   * Asks how far the stream is, unless it has no watcher, or one that begins later: then newer etcds do not
   * say.
   */
  progress(latest: number): Promise<PlainMessage> {
    const stream = this.#stream;
    if (stream === undefined || stream.watchers.length === 0) return Promise.resolve({});
    const isAnswered = stream.watchers.every(
      ({ interest, hasStart }) => !hasStart || interest.fromRevision <= latest,
    );
    return isAnswered ? stream.progress() : Promise.resolve({});
  }

  /** The id of one of the watchers of the stream. */
  idOf(at: number): bigint {
    const live = this.#stream?.watchers ?? [];
    return live[at % Math.max(1, live.length)]?.id ?? nobody;
  }

  /** Waits until all that has happened up to this revision was delivered to whom it has to. */
  async settle(latest: number): Promise<void> {
    // Who waited in vain once does not wait again.
    if (this.#faults.length > 0) return;
    const isComplete = await this.#everything.until(() => (this.#history.at(-1)?.revision ?? 1) >= latest);
    if (!isComplete)
      this.#faults.push(`revision ${String(latest)} is not delivered to who watches everything`);
    await this.#stream?.settle();
  }

  /** Waits until history may be given up without a watcher missing it. */
  async catchUp(latest: number): Promise<void> {
    await this.settle(latest);
    await this.#stream?.catchUp();
  }

  closeStream(): void {
    this.#faults.push(...(this.#stream?.faults.splice(0) ?? []));
    this.#stream?.close();
    this.#stream = undefined;
  }

  take(): Deliveries {
    const faults = [this.#faults, this.#everything.faults, this.#stream?.faults ?? []].flatMap((each) =>
      each.splice(0),
    );
    const watchers = this.#deliveries;
    this.#deliveries = new Map();
    return { watchers, faults };
  }

  close(): void {
    this.closeStream();
    this.#everything.close();
  }

  #open(token: string | undefined, onEvents: (response: WatchResponse) => void): WatchStream {
    let last: WatchResponse | undefined;
    return new WatchStream({
      begin: (onMessage) => this.#wire.converse(method, token, onMessage),
      convert: this.#convert,
      history: this.#history,
      onDelivery: ({ serial, what }, response) => {
        const items = this.#deliveries.get(serial);
        if (items === undefined) this.#deliveries.set(serial, [what]);
        else items.push(what);
        if (response !== last) onEvents(response);
        last = response;
      },
    });
  }

  #remember({ events }: WatchResponse): void {
    for (const { type, kv } of events) {
      this.#history.push({
        revision: Number(kv?.modRevision ?? 0),
        key: Buffer.from(kv?.key ?? []).toString("latin1"),
        isDelete: type === EventType.DELETE,
      });
    }
  }
}
