/**
 * What one watch was told, over all members at which it was: every change that it wants, in order, each
 * once, and every revision as a whole.
 */
import type { WatchMessage, WatchSpec } from "@dkv/server/consensus/member";
import { keyText } from "../disk/platter.ts";
import { toKeyValue } from "./select.ts";
import { SafetyViolation, type TrueChange, type Truth } from "./truth.ts";

type Events = Extract<WatchMessage, { kind: "events" }>;

/** The member that tells. */
export interface Teller {
  readonly revision: number;
  readonly compaction: { readonly revision: number };
}

export class Watched {
  readonly #truth: Truth;
  readonly #wishes: WatchSpec;
  /** All before this revision was told. 0: it begins wherever the member is that it begins at. */
  #next: number;
  #events = 0;

  constructor(truth: Truth, wishes: WatchSpec) {
    this.#truth = truth;
    this.#wishes = wishes;
    this.#next = wishes.startRevision;
  }

  get next(): number {
    return this.#next;
  }

  /** Told so far. */
  get events(): number {
    return this.#events;
  }

  /** What to ask the next member for. */
  get spec(): WatchSpec {
    return { ...this.#wishes, startRevision: this.#next };
  }

  /** @param told the revision up to which a member says that there is nothing to tell */
  began(told: number, { revision }: Teller): void {
    const expected = this.#next === 0 ? revision : this.#next - 1;
    if (told !== expected)
      throw new SafetyViolation(
        `a watch begins behind ${String(told)}, and should behind ${String(expected)}`,
      );
    this.#next = told + 1;
  }

  heard({ revision, events }: Omit<Events, "kind" | "id">, teller: Teller): void {
    if (revision > teller.revision)
      throw new SafetyViolation(
        `a watch was told of ${String(revision)} by a member that is at ${String(teller.revision)}`,
      );
    const meant = this.#wanted(revision);
    const found = events.map(({ change: { key, made } }) =>
      changeText(key, made.modRevision, made.isDeleted ? undefined : made.value),
    );
    if (found.join(" ") !== meant.map(textOf).join(" "))
      throw new SafetyViolation(
        `a watch was told [${found.join(" ")}] from ${String(this.#next)} to ${String(revision)}, ` +
          `not [${meant.map(textOf).join(" ")}]`,
      );
    for (const [at, { previous }] of events.entries()) this.#checkPrevious(meant[at], previous, teller);
    this.#events += events.length;
    this.#next = revision + 1;
  }

  /** A member says that it has told all up to this revision. */
  told(revision: number): void {
    const [missed] = this.#wanted(revision);
    if (missed !== undefined)
      throw new SafetyViolation(
        `a watch was told that nothing is left up to ${String(revision)}, and not of ${textOf(missed)}`,
      );
    this.#next = Math.max(this.#next, revision + 1);
  }

  /** A member says that what comes next was given up. */
  compacted(compactRevision: number, { compaction }: Teller): void {
    if (this.#next >= compactRevision || compactRevision > compaction.revision)
      throw new SafetyViolation(
        `a watch from ${String(this.#next)} on ended as compacted to ${String(compactRevision)}`,
      );
    this.#next = compactRevision;
  }

  #wanted(through: number): readonly TrueChange[] {
    const { interval, wantSets, wantDeletes } = this.#wishes;
    const changes = this.#truth.store.changes.slice(this.#next, through + 1).flat();
    return changes.filter(
      ({ key, version }) =>
        key >= interval.from &&
        (interval.before === undefined || key < interval.before) &&
        (version === undefined ? wantDeletes : wantSets),
    );
  }

  #checkPrevious(
    change: TrueChange | undefined,
    found: Events["events"][number]["previous"],
    { compaction }: Teller,
  ): void {
    if (change === undefined) return;
    const { key, previous } = change;
    const meant = this.#wishes.wantPrevious && previous ? toKeyValue([key, previous]) : undefined;
    const isSame =
      meant === undefined || found === undefined
        ? meant === found || change.revision <= compaction.revision
        : keyText(found.value) === keyText(meant.value) &&
          found.modRevision === meant.modRevision &&
          found.version === meant.version;
    if (!isSame) throw new SafetyViolation(`a watch was told of ${textOf(change)} with another value before`);
  }
}

const textOf = ({ key, revision, version }: TrueChange): string => changeText(key, revision, version?.value);

/** Of long values the beginning, which nobody else writes, and how long they are. */
function changeText(key: string, revision: number, value: string | undefined): string {
  const at = `${key}@${String(revision)}`;
  if (value === undefined) return `${at}-`;
  return value.length <= 20 ? `${at}=${value}` : `${at}=${value.slice(0, 12)}..${String(value.length)}`;
}
