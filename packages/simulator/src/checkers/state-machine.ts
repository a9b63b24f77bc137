/** State machine safety, at every index and of the whole state where it changes hands. */
import type { Applied } from "@dkv/store";
import type { Platter } from "../disk/platter.ts";
import type { AppliedEntry, ApplyWitness, ObservedStore } from "../process/observed-store.ts";
import { ExactlyOnce } from "./exactly-once.ts";
import { SafetyViolation, type TrueVersion, Truth } from "./truth.ts";

/** The first byte of the store's keys of clients. */
const currentPrefix = "\u0020";

export class StateMachineSafety implements ApplyWitness {
  readonly truth = new Truth();
  readonly #once = new ExactlyOnce();

  applied(store: ObservedStore, entry: AppliedEntry, applied: Applied): void {
    this.truth.applied(entry);
    this.truth.checkResult(entry.index, applied, entry.isWanted);
    this.#once.applied(applied.id, entry.index);
    const changes = this.truth.changesAt(entry.index);
    checkChanges(entry.index, applied, changes);
    for (const { key } of changes) this.#compare(store, key, this.truth.versionAt(key, entry.index));
  }

  skipped(_store: ObservedStore, { index, term }: Pick<AppliedEntry, "index" | "term">): void {
    this.truth.applied({ index, term, data: undefined });
  }

  /** The state came from another member. */
  restored(store: ObservedStore): void {
    this.whole(store);
  }

  /** Compares all that a member says its state is. */
  whole(store: ObservedStore): void {
    const { appliedIndex } = store;
    const { truth } = this;
    if (appliedIndex > truth.lastIndex)
      throw new SafetyViolation(`a state says that ${String(appliedIndex)} was applied, which nobody did`);
    const behind = `the state at ${String(appliedIndex)} has`;
    if (store.revision !== truth.revisionAt(appliedIndex))
      throw new SafetyViolation(
        `${behind} revision ${String(store.revision)}, not ${String(truth.revisionAt(appliedIndex))}`,
      );
    const compactRevision = truth.compactRevisionAt(appliedIndex);
    if (store.compaction.revision !== compactRevision)
      throw new SafetyViolation(
        `${behind} compact revision ${String(store.compaction.revision)}, not ${String(compactRevision)}`,
      );
    for (const key of truth.keys) this.#compare(store, key, truth.versionAt(key, appliedIndex));
    for (const id of truth.leases) {
      const [found, meant] = [store.lease(id), truth.leaseAt(id, appliedIndex)];
      const isSame =
        found?.grantedTtl === meant?.grantedTtl &&
        found?.remainingTtl === meant?.remainingTtl &&
        found?.grantedIndex === meant?.grantedIndex;
      if (!isSame) throw new SafetyViolation(`${behind} lease ${String(id)} otherwise than the log says`);
    }
  }

  /** Looks for what should not be on a disk at all. */
  strays({ current }: Platter): void {
    for (const key of current.state.keys()) {
      if (!key.startsWith(currentPrefix)) continue;
      if (this.truth.versionAt(key.slice(1), current.marker.appliedIndex) === undefined)
        throw new SafetyViolation(`a disk holds the key ${key.slice(1)}, which was deleted or never set`);
    }
  }

  #compare(store: ObservedStore, key: string, expected: TrueVersion | undefined): void {
    const found = store.get(Buffer.from(key, "latin1"));
    const isSame =
      found === undefined
        ? expected === undefined
        : expected !== undefined &&
          found.modRevision === expected.modRevision &&
          found.createRevision === expected.createRevision &&
          found.version === expected.version &&
          found.lease === expected.lease &&
          Buffer.from(found.value).toString("latin1") === expected.value;
    if (!isSame)
      throw new SafetyViolation(
        `behind entry ${String(store.appliedIndex)}, a member has ${key} at revision ` +
          `${String(found?.modRevision ?? "none")}, not ${String(expected?.modRevision ?? "none")}`,
      );
  }
}

/** What watches are told of an entry. */
function checkChanges(index: number, { changes }: Applied, expected: ReturnType<Truth["changesAt"]>): void {
  const found = changes.map(
    ({ key, made }) => `${key}@${String(made.modRevision)}${made.isDeleted ? "-" : ""}`,
  );
  const meant = expected.map(
    ({ key, revision, version }) => `${key}@${String(revision)}${version === undefined ? "-" : ""}`,
  );
  if (found.join(" ") !== meant.join(" "))
    throw new SafetyViolation(
      `entry ${String(index)} tells of the changes [${found.join(" ")}], not [${meant.join(" ")}]`,
    );
}
