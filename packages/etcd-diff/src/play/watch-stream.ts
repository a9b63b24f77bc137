import { create, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type WatchCreateRequest,
  WatchCreateRequest_FilterType as Filter,
  type WatchRequest,
  WatchRequestSchema,
  type WatchResponse,
  WatchResponseSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { type Change, Expectation, type Interest } from "./history.ts";
import { type Convert, type Plain, type PlainMessage, toPlain } from "../message/plain.ts";
import { nowMs, sleep } from "../platform/time.ts";
import { Signal } from "./signal.ts";
import { said } from "./status.ts";
import type { Conversation } from "./wire.ts";

/** How long a server may take to do what it has to. */
export const patienceMs = 10_000;

/** etcd looks after those that are behind ten times a second. */
const catchUpMs = 1_000;

/** One watcher of a stream. */
export interface Watcher {
  readonly id: bigint;
  /** The same on both servers. */
  readonly serial: number;
  readonly interest: Interest;
  readonly expectation: Expectation;
  /** It begins in history that was given up: the server has to end it. */
  readonly isTooLate: boolean;
  /** The client said from when on. */
  readonly hasStart: boolean;
  /** Its beginning lies in the past. */
  readonly isBehind: boolean;
  readonly createdMs: number;
  /** Events so far. */
  delivered: number;
  lastRevision: number;
  isOver: boolean;
}

/** Something that was delivered to one of the watchers. */
export interface Delivery {
  readonly serial: number;
  readonly what: Plain;
}

type Union = NonNullable<MessageInitShape<typeof WatchRequestSchema>["requestUnion"]>;

interface Creation {
  readonly request: WatchCreateRequest;
  readonly serial: number;
  readonly isTooLate: boolean;
  /** The next revision. */
  readonly now: number;
}

export interface WatchStreamOptions {
  readonly begin: (onMessage: (message: Message) => void) => Conversation;
  readonly convert: Convert;
  /** Everything that has happened, as the stream that watches everything has told. */
  readonly history: readonly Change[];
  /** Takes what is delivered. */
  readonly onDelivery: (delivery: Delivery, response: WatchResponse) => void;
}

/** One stream of watches on one server: what it says is checked for order, and handed on watcher by watcher. */
export class WatchStream {
  /** Those that are not over. */
  readonly watchers: Watcher[] = [];
  /** What no server may do, whatever the other one does. */
  readonly faults: string[] = [];
  readonly #options: WatchStreamOptions;
  readonly #conversation: Conversation;
  readonly #signal = new Signal();
  #creation: Creation | undefined;
  #response: PlainMessage | undefined;
  #failure: PlainMessage | undefined;

  constructor(options: WatchStreamOptions) {
    this.#options = options;
    this.#conversation = options.begin((message) => {
      this.#take(message as WatchResponse);
    });
    void this.#conversation.ended.then((refusal) => {
      this.#failure = refusal === undefined ? { ended: true } : said(refusal);
      this.#signal.fire();
    });
  }

  /** Resolves to what the server says to it. */
  create(creation: Creation): Promise<PlainMessage> {
    this.#creation = creation;
    return this.#ask({ case: "createRequest", value: creation.request });
  }

  cancel(watchId: bigint): Promise<PlainMessage> {
    const isKnown = this.watchers.some(({ id }) => id === watchId);
    const request = { case: "cancelRequest", value: { watchId } } as const;
    if (isKnown) return this.#ask(request);
    // Nothing is said to that.
    this.#send(request);
    return Promise.resolve({});
  }

  progress(): Promise<PlainMessage> {
    return this.#ask({ case: "progressRequest", value: {} });
  }

  /** Waits until each watcher has got all that has happened, or the server has had time enough for it. */
  async settle(): Promise<void> {
    for (const watcher of this.watchers.slice()) {
      const has = (): boolean => {
        if (watcher.isOver || this.#failure !== undefined) return true;
        return !watcher.isTooLate && watcher.delivered >= watcher.expectation.count();
      };
      // Who waited in vain once does not wait again.
      const waitMs = this.faults.length > 0 ? 0 : patienceMs;
      if (!(await this.#signal.until(has, waitMs))) this.#fault(watcher, "does not get what it waits for");
      if (!watcher.isOver && watcher.delivered > watcher.expectation.count())
        this.#fault(watcher, "gets more than has happened");
    }
  }

  /** Waits until this holds. Resolves to false if it does not in time. */
  until(condition: () => boolean): Promise<boolean> {
    return this.#signal.until(() => condition() || this.#failure !== undefined, patienceMs);
  }

  /**
   * Waits until history may be given up without a watcher missing it. Of one that begins in the past and has
   * got nothing, because nothing is there for it, nobody can tell whether the server knows that already: it
   * gets time.
   */
  async catchUp(): Promise<void> {
    const waiting = this.watchers.filter(({ isBehind, delivered }) => isBehind && delivered === 0);
    const latest = Math.max(0, ...waiting.map(({ createdMs }) => createdMs));
    await sleep(Math.max(0, latest + catchUpMs - nowMs()));
  }

  close(): void {
    this.#conversation.close();
  }

  async #ask(union: Union): Promise<PlainMessage> {
    this.#response = undefined;
    this.#send(union);
    await this.#signal.until(() => (this.#response ?? this.#failure) !== undefined, patienceMs);
    return this.#response ?? this.#failure ?? { "no answer": true };
  }

  #send(requestUnion: Union): void {
    const request: WatchRequest = create(WatchRequestSchema, { requestUnion });
    this.#conversation.send(request);
  }

  #take(response: WatchResponse): void {
    const watcher = this.watchers.find(({ id }) => id === response.watchId);
    const plain = toPlain(WatchResponseSchema, response, this.#options.convert);
    if (response.created) this.#onCreated(response, plain);
    else if (watcher !== undefined) this.#deliver(watcher, response, plain);
    else if (response.watchId === -1n) this.#response = plain;
    else this.faults.push(`a message for watcher ${String(response.watchId)}, which is not there`);
    this.#signal.fire();
  }

  #onCreated(response: WatchResponse, plain: PlainMessage): void {
    const creation = this.#creation;
    this.#creation = undefined;
    this.#response = plain;
    if (creation === undefined) {
      this.faults.push("a watcher was created that was not asked for");
      return;
    }
    if (response.canceled) return;
    const interest = interestOf(creation);
    this.watchers.push({
      id: response.watchId,
      serial: creation.serial,
      interest,
      expectation: new Expectation(interest, this.#options.history),
      isTooLate: creation.isTooLate,
      hasStart: creation.request.startRevision > 0n,
      isBehind: interest.fromRevision < creation.now,
      createdMs: nowMs(),
      delivered: 0,
      lastRevision: 0,
      isOver: false,
    });
  }

  #deliver(watcher: Watcher, response: WatchResponse, plain: PlainMessage): void {
    const { onDelivery } = this.#options;
    this.#checkOrder(watcher, response);
    watcher.delivered += response.events.length;
    for (const what of (plain["events"] ?? []) as readonly Plain[]) {
      onDelivery({ serial: watcher.serial, what }, response);
    }
    if (!response.canceled) return;
    // Whether it was asked for, or comes by itself.
    if (response.compactRevision === 0n) this.#response = plain;
    else onDelivery({ serial: watcher.serial, what: plain }, response);
    watcher.isOver = true;
    this.watchers.splice(this.watchers.indexOf(watcher), 1);
  }

  #checkOrder(watcher: Watcher, { events, header }: WatchResponse): void {
    const [first, last] = [events.at(0), events.at(-1)].map((event) => Number(event?.kv?.modRevision ?? 0));
    if (first === undefined || last === undefined || events.length === 0) return;
    if (first <= watcher.lastRevision)
      this.#fault(watcher, `gets revision ${String(first)} after ${String(watcher.lastRevision)}`);
    if (Number(header?.revision ?? 0) < last)
      this.#fault(watcher, `gets revision ${String(last)} under a header of an earlier one`);
    watcher.lastRevision = last;
  }

  #fault({ serial, id }: Watcher, what: string): void {
    this.faults.push(`watcher ${String(id)}, the ${String(serial)}. that was created, ${what}`);
  }
}

function interestOf({ request, now }: Creation): Interest {
  return {
    key: Buffer.from(request.key).toString("latin1"),
    rangeEnd: Buffer.from(request.rangeEnd).toString("latin1"),
    fromRevision: request.startRevision > 0n ? Number(request.startRevision) : now,
    noPut: request.filters.includes(Filter.NOPUT),
    noDelete: request.filters.includes(Filter.NODELETE),
  };
}
