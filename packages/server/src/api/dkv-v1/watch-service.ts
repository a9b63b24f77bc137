/** Watches of dkv.v1 as Connect has them, for every protocol: one a stream. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { EventSchema, WatchRequest, WatchResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import type { Member, WatchEvent } from "../../consensus/member.ts";
import type { Clock } from "../../platform/clock.ts";
import { Turns } from "../turns.ts";
import { headerOf, keyValue, responseHeader, withPrevious } from "./answers.ts";
import {
  compacted,
  eventKind,
  type Group,
  groupsOf,
  keyValueOf,
  Progress,
  specOf,
  throughOf,
  watchId,
} from "./watch-events.ts";

type WatchAnswer = MessageInitShape<typeof WatchResponseSchema>;
type EventAnswer = MessageInitShape<typeof EventSchema>;

export class WatchService {
  readonly #member: Pick<Member, "watches" | "status">;
  readonly #clock: Clock;
  readonly #turns: Turns;

  constructor(member: Pick<Member, "watches" | "status">, clock: Clock) {
    this.#member = member;
    this.#clock = clock;
    this.#turns = new Turns(clock);
  }

  /**
   * Goes no faster than its answers are taken. Throws a DkvError, or what the signal was aborted with.
   *
   * @param signal aborted when the client has gone, or the member is stopping
   */
  async *watch(request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchAnswer> {
    const spec = specOf(request);
    const stream = this.#member.watches.open();
    const close = (): void => {
      stream.close();
    };
    const progress = new Progress(stream, request.progressSeconds, this.#clock);
    signal.addEventListener("abort", close);
    try {
      if (signal.aborted) stream.close();
      else yield this.#answer([], stream.create(watchId, spec));
      for (;;) {
        progress.wait();
        const messages = await stream.next();
        if (messages === undefined) break;
        for (const group of groupsOf(messages)) {
          // Connect takes milliseconds for a large message, and there may be thousands of watches.
          await this.#turns.take();
          if (signal.aborted) break;
          yield this.#told(group);
        }
      }
    } finally {
      progress.stop();
      signal.removeEventListener("abort", close);
      stream.close();
    }
    throw ConnectError.from(signal.reason, Code.Canceled);
  }

  #told(group: Group): WatchAnswer {
    switch (group.kind) {
      case "events": {
        const events = group.list.flatMap((message) => message.events.map(eventOf));
        return this.#answer(events, throughOf(group.list));
      }
      case "progress":
        return this.#answer([], group.revision);
      case "compacted":
        throw compacted(group.compactRevision);
      case "forbidden":
        throw group.error;
    }
  }

  #answer(events: EventAnswer[], revision: number): WatchAnswer {
    return { header: responseHeader(headerOf(this.#member)), events, revision: BigInt(revision) };
  }
}

function eventOf({ change, previous }: WatchEvent): EventAnswer {
  return { kind: eventKind(change), kv: keyValue(keyValueOf(change)), ...withPrevious(previous) };
}
