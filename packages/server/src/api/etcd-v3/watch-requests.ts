/** What a watch of etcd asks for, in the store's words. */
import {
  type WatchCreateRequest,
  WatchCreateRequest_FilterType as Filter,
} from "@dkv/protocol/etcdserverpb/rpc";
import { intervalOf } from "@dkv/store";
import type { WatchMessage, WatchSpec } from "../../consensus/member.ts";
import { revisionOf } from "../dkv-v1/numbers.ts";
import { etcdErrorText } from "./errors.ts";

type EventsMessage = Extract<WatchMessage, { kind: "events" }>;

/** Events of one answer, after which small revisions begin a new one. */
const fewEvents = 100;

const firstKey = Uint8Array.of(0);

/** A watch that there cannot be says why. */
export type Asked =
  | { readonly kind: "spec"; readonly spec: WatchSpec }
  | { readonly kind: "refused"; readonly reason: string };

export function specOf(request: WatchCreateRequest): Asked {
  const { rangeEnd, startRevision, filters, prevKv } = request;
  const key = request.key.length === 0 ? firstKey : request.key;
  if (startRevision < 0n) return { kind: "refused", reason: etcdErrorText("compacted") };
  const interval = intervalOf(key, rangeEnd);
  if (interval.before !== undefined && interval.before <= interval.from)
    return { kind: "refused", reason: "mvcc: watcher range is empty" };
  const spec = {
    interval,
    startRevision: revisionOf(startRevision),
    wantPrevious: prevKv,
    wantSets: !filters.includes(Filter.NOPUT),
    wantDeletes: !filters.includes(Filter.NODELETE),
  };
  return { kind: "spec", spec };
}

/** What becomes one answer: events of one watch that came together, as long as they are few. */
export type Group =
  | { readonly kind: "events"; readonly id: number; readonly list: readonly EventsMessage[] }
  | Exclude<WatchMessage, EventsMessage>;

export function groupsOf(messages: readonly WatchMessage[]): readonly Group[] {
  const groups: Group[] = [];
  let last: { readonly id: number; readonly list: EventsMessage[] } | undefined;
  let events = 0;
  for (const message of messages) {
    if (message.kind !== "events") {
      groups.push(message);
      last = undefined;
      continue;
    }
    events += message.events.length;
    if (last !== undefined && last.id === message.id && events <= fewEvents) {
      last.list.push(message);
    } else {
      last = { id: message.id, list: [message] };
      events = message.events.length;
      groups.push({ kind: "events", ...last });
    }
  }
  return groups;
}
