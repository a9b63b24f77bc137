/** Who is to be told of a change: found by its key, without looking at those who are not. */
import type { ByteString, Change, Interval, Revision } from "@dkv/store";
import { assert } from "../../platform/assert.ts";
import { IntervalTree } from "./interval-tree.ts";
import { changeBytes } from "./stretch.ts";
import type { WatchSpec } from "./watch.ts";
import type { Batch, Watcher } from "./watcher.ts";

/** Those who watch the same keys in the same way. */
export interface Group {
  readonly lane: Lane;
  readonly interval: Interval;
  /** In no order. */
  readonly members: Watcher[];
  /** Of the revision that is being told; undefined between revisions. */
  changes: Change[] | undefined;
}

/** What watches may want differently, beside their keys. */
type Wishes = Pick<WatchSpec, "wantPrevious" | "wantSets" | "wantDeletes">;

export class WatchIndex {
  /** At most one for each combination of wishes. */
  #lanes: readonly Lane[] = [];

  add(watcher: Watcher): void {
    const { spec } = watcher;
    const group = this.#lane(spec).group(spec.interval);
    watcher.group = group;
    watcher.slot = group.members.length;
    group.members.push(watcher);
  }

  remove(watcher: Watcher): void {
    const { group, slot } = watcher;
    assert(group !== undefined, "only who is in an index can be taken out of it");
    const { members, lane } = group;
    const last = members.pop();
    if (last !== undefined && last !== watcher) {
      members[slot] = last;
      last.slot = slot;
    }
    watcher.group = undefined;
    if (members.length === 0) lane.drop(group);
  }

  /**
   * Calls back for everybody who wants something of one revision, with all of it. Whoever is called for may
   * be removed then, and nobody else.
   *
   * @param changes all of the revision
   * @returns how much work that was: changes looked at, and calls
   */
  tell(
    revision: Revision,
    changes: readonly Change[],
    deliver: (watcher: Watcher, batch: Batch) => void,
  ): number {
    if (this.#lanes.length === 0) return changes.length;
    const touched: Group[] = [];
    for (const change of changes) for (const lane of this.#lanes) lane.collect(change, touched);
    let work = changes.length;
    for (const group of touched) {
      const batch = batchOf(revision, group.changes ?? [], group.lane.wishes);
      group.changes = undefined;
      const { members } = group;
      // Backwards: who is removed makes room for the last one.
      for (let at = members.length - 1; at >= 0; at -= 1) {
        const watcher = members[at];
        if (watcher === undefined || watcher.next > revision) continue;
        deliver(watcher, batch);
        work += 1;
      }
    }
    return work;
  }

  #lane(wishes: Wishes): Lane {
    const found = this.#lanes.find((lane) => lane.isFor(wishes));
    if (found !== undefined) return found;
    const lane = new Lane(wishes);
    this.#lanes = [...this.#lanes, lane];
    return lane;
  }
}

/** Those who want the same, of whatever keys. */
class Lane {
  readonly wishes: Wishes;
  readonly #keys = new Map<ByteString, Group>();
  readonly #intervals = new IntervalTree<Group>();

  constructor({ wantPrevious, wantSets, wantDeletes }: Wishes) {
    this.wishes = { wantPrevious, wantSets, wantDeletes };
  }

  isFor({ wantPrevious, wantSets, wantDeletes }: Wishes): boolean {
    const { wishes } = this;
    return (
      wantPrevious === wishes.wantPrevious &&
      wantSets === wishes.wantSets &&
      wantDeletes === wishes.wantDeletes
    );
  }

  group(interval: Interval): Group {
    const isKey = isOneKey(interval);
    const found = isKey ? this.#keys.get(interval.from) : this.#intervals.get(interval);
    if (found !== undefined) return found;
    const group = { lane: this, interval, members: [], changes: undefined };
    if (isKey) this.#keys.set(interval.from, group);
    else this.#intervals.add(interval, group);
    return group;
  }

  drop({ interval }: Group): void {
    if (isOneKey(interval)) this.#keys.delete(interval.from);
    else this.#intervals.delete(interval);
  }

  /** @param touched groups that have changes, each once */
  collect(change: Change, touched: Group[]): void {
    const isWanted = change.made.isDeleted ? this.wishes.wantDeletes : this.wishes.wantSets;
    if (!isWanted) return;
    const add = (group: Group): void => {
      if (group.changes !== undefined) group.changes.push(change);
      else {
        group.changes = [change];
        touched.push(group);
      }
    };
    const group = this.#keys.get(change.key);
    if (group !== undefined) add(group);
    this.#intervals.visit(change.key, add);
  }
}

/** Roughly what it costs to hold a batch in a queue. */
const batchOverheadBytes = 100;

function batchOf(revision: Revision, changes: readonly Change[], { wantPrevious }: Wishes): Batch {
  const hasEvents = !wantPrevious || changes.every(({ previous }) => previous === undefined);
  return {
    revision,
    changes,
    events: hasEvents ? changes.map((change) => ({ change, previous: undefined })) : undefined,
    bytes: changes.reduce((sum, change) => sum + changeBytes(change), batchOverheadBytes),
  };
}

const isOneKey = ({ from, before }: Interval): boolean =>
  before?.length === from.length + 1 && before.endsWith("\0") && before.startsWith(from);
