/**
 * What the log has decided, and what a store must make of it: a store of a few lines, written anew, that the
 * production store is compared with at every index. State machine safety (Raft Fig. 3): no member ever
 * applies anything else at an index, and each gives the same result and has the same state.
 */
import { type Applied, decodeCommand } from "@dkv/store";
import { keyText } from "../disk/platter.ts";
import type { AppliedEntry } from "../process/observed-store.ts";

/** Of a key; undefined while there is none. */
export interface TrueVersion {
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

interface Decided {
  readonly term: number;
  /** Undefined for an entry without a command. */
  readonly data: Uint8Array | undefined;
  readonly key: string | undefined;
  readonly revision: number;
  readonly after: TrueVersion | undefined;
  readonly deleted: boolean;
}

export class SafetyViolation extends Error {
  override readonly name = "SafetyViolation";
}

export class Truth {
  /** By index; the first one stands for what is before every log. */
  readonly #decided: (Decided | undefined)[] = [undefined];
  /** Versions of each key, by the index that made them, ascending. */
  readonly #versions = new Map<
    string,
    { readonly index: number; readonly version: TrueVersion | undefined }[]
  >();
  /** By revision: the index that made it. */
  readonly #byRevision = new Map<number, number>();
  #revision = 1;

  get lastIndex(): number {
    return this.#decided.length - 1;
  }

  get keys(): readonly string[] {
    return [...this.#versions.keys()];
  }

  revisionAt(index: number): number {
    return index === 0 ? 1 : (this.#decided[index]?.revision ?? 1);
  }

  /** Somebody has applied a command, or passed an entry without one. */
  applied({
    index,
    term,
    data,
  }: Omit<AppliedEntry, "data"> & { readonly data: Uint8Array | undefined }): Decided {
    const known = this.#decided[index];
    if (known !== undefined) {
      if (known.term !== term || !sameBytes(known.data, data))
        throw new SafetyViolation(
          `two members applied different entries at ${String(index)}: of term ${String(known.term)} and ${String(term)}`,
        );
      return known;
    }
    if (index !== this.#decided.length)
      throw new SafetyViolation(
        `${String(index)} was applied, and nobody has applied ${String(this.#decided.length)}`,
      );
    const decided = this.#decide(index, term, data);
    this.#decided.push(decided);
    return decided;
  }

  /** Compares what a production store gave. */
  checkResult(index: number, { result }: Applied): void {
    const decided = this.#decided[index];
    if (decided === undefined) return;
    if (result.revision !== decided.revision)
      throw new SafetyViolation(
        `applying ${String(index)} gave revision ${String(result.revision)}, not ${String(decided.revision)}`,
      );
    if (result.kind === "delete" && result.deleted !== decided.deleted)
      throw new SafetyViolation(`applying ${String(index)} found a key that is not there, or missed one`);
  }

  /** The key that the entry changes, and what it is then. */
  changeAt(index: number): { readonly key: string; readonly version: TrueVersion | undefined } | undefined {
    const decided = this.#decided[index];
    return decided?.key === undefined ? undefined : { key: decided.key, version: decided.after };
  }

  /** A key as it was right behind an index. */
  versionAt(key: string, index: number): TrueVersion | undefined {
    return this.#versions.get(key)?.findLast((each) => each.index <= index)?.version;
  }

  /** The index of the write that made a revision; undefined if nobody has applied one. */
  indexOfRevision(revision: number): number | undefined {
    return this.#byRevision.get(revision);
  }

  #decide(index: number, term: number, data: Uint8Array | undefined): Decided {
    const none = { term, data, key: undefined, after: undefined, deleted: false };
    if (data === undefined) return { ...none, revision: this.#revision };
    const { operation } = decodeCommand(data);
    if (operation.case !== "set" && operation.case !== "delete") return { ...none, revision: this.#revision };
    const key = keyText(operation.value.key);
    const before = this.versionAt(key, index);
    const deleted = operation.case === "delete" && before !== undefined;
    if (operation.case === "delete" && !deleted) return { ...none, key, revision: this.#revision };
    this.#revision += 1;
    const revision = this.#revision;
    const after =
      operation.case === "delete"
        ? undefined
        : {
            value: keyText(operation.value.value),
            createRevision: before?.createRevision ?? revision,
            modRevision: revision,
            version: (before?.version ?? 0) + 1,
          };
    const versions = this.#versions.get(key) ?? [];
    versions.push({ index, version: after });
    this.#versions.set(key, versions);
    this.#byRevision.set(revision, index);
    return { term, data, key, revision, after, deleted };
  }
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || Buffer.compare(a, b) === 0;
}
