/** Whether watches of the same keys were told what has happened to them: all of it, in order, and once. */
import { isDeepStrictEqual } from "node:util";

/** A key as a change has left it; undefined: without a value, it was deleted. */
export interface Change {
  readonly key: string;
  readonly value: string | undefined;
}

/** What a watch was told at once: changes, and that there are no others up to that revision. */
export interface Told {
  readonly revision: number;
  readonly events: readonly (Change & { readonly revision: number })[];
}

/** One write of one or more keys. No two write the same value. */
export interface Write {
  /** None: it has found nothing to delete. */
  readonly changes: readonly Change[];
  readonly outcome: { readonly kind: "ok"; readonly revision: number } | { readonly kind: "unknown" };
}

/** What a key holds, and since when. */
export interface Found {
  readonly value: string;
  readonly revision: number;
}

export interface Followed {
  /** What each watch was told, in its order, up to the revision at which `found` was read. */
  readonly told: readonly (readonly Told[])[];
  /** All that were acknowledged meanwhile, and all that are still open. Those that failed are not among them. */
  readonly writes: readonly Write[];
  /** The revision at which `before` was read, and up to which all was judged then. */
  readonly since: number;
  readonly before: ReadonlyMap<string, Found>;
  readonly found: ReadonlyMap<string, Found>;
}

/** What is wrong; otherwise writes of which nothing was heard, and which may still come. */
export type FollowedVerdict =
  | { readonly kind: "violated"; readonly report: string }
  | { readonly kind: "complete"; readonly open: readonly Write[] };

export function judgeFollowed({ told, writes, since, before, found }: Followed): FollowedVerdict {
  const [first = [], ...others] = told.map(eventsOf);
  const disorder = told.flatMap((one, watch) =>
    disorderIn(one, since).map((what) => `watch ${String(watch)}: ${what}`),
  );
  if (disorder[0] !== undefined) return { kind: "violated", report: disorder[0] };
  for (const [at, other] of others.entries()) {
    const place = Math.max(first.length, other.length);
    for (let event = 0; event < place; event += 1) {
      if (isDeepStrictEqual(first[event], other[event])) continue;
      const report = `watch 0 was told ${text(first[event])}, watch ${String(at + 1)} ${text(other[event])} in its place`;
      return { kind: "violated", report };
    }
  }
  const open = explain(first, writes);
  if (typeof open === "string") return { kind: "violated", report: open };
  const state = new Map(before);
  for (const { key, value, revision } of first) {
    if (value === undefined) state.delete(key);
    else state.set(key, { value, revision });
  }
  const wrong = [...new Set([...state.keys(), ...found.keys()])].find(
    (key) => !isDeepStrictEqual(state.get(key), found.get(key)),
  );
  if (wrong === undefined) return { kind: "complete", open };
  const shown = (one: Found | undefined): string =>
    one === undefined ? "nothing" : `${one.value} of revision ${String(one.revision)}`;
  const report = `${wrong} holds ${shown(found.get(wrong))}; by what watches were told, ${shown(state.get(wrong))}`;
  return { kind: "violated", report };
}

type Event = Told["events"][number];

const eventsOf = (told: readonly Told[]): readonly Event[] => told.flatMap(({ events }) => events);

function disorderIn(told: readonly Told[], since: number): readonly string[] {
  let through = since;
  return told.flatMap(({ revision, events }) => {
    const late = events.find((event) => event.revision <= through || event.revision > revision);
    const from = through;
    through = Math.max(through, revision);
    if (late !== undefined)
      return [`${text(late)} was told between revisions ${String(from)} and ${String(revision)}`];
    const back = events.find((event, at) => event.revision < (events[at - 1]?.revision ?? 0));
    const names = events.map((event) => `${event.key} ${String(event.revision)}`);
    const again = events.find((_, at) => names.indexOf(names[at] ?? "") < at);
    const what = back ?? again;
    return what === undefined ? [] : [`${text(what)} was told ${back === undefined ? "twice" : "too late"}`];
  });
}

/** Gives each revision the write that has made it. Writes that are open still; or what is wrong. */
function explain(events: readonly Event[], writes: readonly Write[]): readonly Write[] | string {
  const made = Map.groupBy(events, ({ revision }) => revision);
  for (const { changes, outcome } of writes) {
    if (outcome.kind === "unknown" || changes.length === 0) continue;
    const told = made.get(outcome.revision) ?? [];
    made.delete(outcome.revision);
    if (name(told) === name(changes)) continue;
    return `an acknowledged write of ${name(changes)} made revision ${String(outcome.revision)}, which was told as ${name(told)}`;
  }
  const open = writes.filter(({ outcome }) => outcome.kind === "unknown");
  for (const [revision, changes] of made) {
    const at = open.findIndex((write) => name(write.changes) === name(changes));
    if (at < 0)
      return `revision ${String(revision)} was told as ${name(changes)}, which nobody has written then`;
    open.splice(at, 1);
  }
  return open;
}

const name = (changes: readonly Change[]): string =>
  changes.length === 0
    ? "nothing"
    : changes
        .map(({ key, value }) => (value === undefined ? `${key} deleted` : `${key}=${value}`))
        .sort((a, b) => (a < b ? -1 : 1))
        .join(", ");

const text = (event: Event | undefined): string =>
  event === undefined ? "nothing" : `${name([event])} of revision ${String(event.revision)}`;
