/** The store against an obviously right one: an array of everything that ever happened. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ApplyResult, KeyValue } from "../src/results.ts";
import type { Change } from "../src/storage.ts";
import { Store } from "../src/store.ts";
import { deleteBytes, setBytes } from "./commands.ts";
import { bytes, Disk, hex } from "./disk.ts";

type Write = { kind: "set"; key: string; value: string } | { kind: "delete"; key: string } | { kind: "none" };
type Step =
  | Write
  | { kind: "take" }
  | { kind: "written" }
  | { kind: "crash" }
  | { kind: "read"; key: string };

const key = fc.constantFrom("a", "b", "c", "d");
const value = fc.string({ maxLength: 4 });
const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("set" as const), key, value }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), key }) },
  { weight: 1, arbitrary: fc.constant({ kind: "none" as const }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: write },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("read" as const), key }) },
  { weight: 2, arbitrary: fc.constantFrom({ kind: "take" as const }, { kind: "written" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "crash" as const }) },
);

interface Event {
  readonly key: string;
  readonly value: string | undefined;
}

/** Keeps the events that changed something; the position of an event gives its revision. */
class Model {
  readonly #events: Event[] = [];

  apply(write: Write): ApplyResult | undefined {
    if (write.kind === "none") return undefined;
    if (write.kind === "delete" && this.get(write.key) === undefined) {
      return { kind: "delete", revision: this.revision, deleted: false };
    }
    this.#events.push({ key: write.key, value: write.kind === "set" ? write.value : undefined });
    const { revision } = this;
    return write.kind === "set" ? { kind: "set", revision } : { kind: "delete", revision, deleted: true };
  }

  get revision(): number {
    return this.#events.length + 1;
  }

  get(wanted: string): KeyValue | undefined {
    const numbered = this.#events.map((event, position) => ({ ...event, revision: position + 2 }));
    const ofKey = numbered.filter((event) => event.key === wanted);
    const sinceDelete = ofKey.slice(ofKey.findLastIndex((event) => event.value === undefined) + 1);
    const [first] = sinceDelete;
    const last = sinceDelete.at(-1);
    if (first === undefined || last === undefined) return undefined;
    return {
      key: bytes(wanted),
      value: Buffer.from(last.value ?? ""),
      createRevision: first.revision,
      modRevision: last.revision,
      version: sinceDelete.length,
    };
  }
}

function apply(store: Store, write: Write, index: number): ApplyResult | undefined {
  if (write.kind === "none") {
    store.skip(index, 1);
    return undefined;
  }
  const data = write.kind === "set" ? setBytes(write.key, write.value) : deleteBytes(write.key);
  return store.apply(index, 1, data).result;
}

/** A member in small: a log that survives, a disk, and batches on their way to it. */
class World {
  readonly #cacheBytes: number;
  readonly #disk = new Disk();
  readonly #log: Write[] = [];
  #onTheWay: (readonly Change[])[] = [];
  readonly model = new Model();
  store: Store;

  constructor(cacheBytes: number) {
    this.#cacheBytes = cacheBytes;
    this.store = new Store(this.#disk, { cacheBytes });
  }

  run(step: Step): void {
    switch (step.kind) {
      case "take":
        if (this.store.hasChanges()) this.#onTheWay.push(this.store.takeChanges());
        return;
      case "written":
        this.#written();
        return;
      case "crash":
        this.#crash();
        return;
      case "read":
        assert.deepEqual(this.store.get(bytes(step.key)), this.model.get(step.key));
        return;
      default:
        this.#log.push(step);
        assert.deepEqual(apply(this.store, step, this.#log.length), this.model.apply(step));
        assert.equal(this.store.revision, this.model.revision);
    }
  }

  #written(): void {
    const changes = this.#onTheWay.shift();
    if (changes === undefined) return;
    this.#disk.write(changes);
    this.store.persisted();
  }

  /** What was on its way is lost; the log is applied again from where the disk stands. */
  #crash(): void {
    this.#onTheWay = [];
    this.store = new Store(this.#disk, { cacheBytes: this.#cacheBytes });
    for (const [position, write] of this.#log.entries()) {
      if (position >= this.store.appliedIndex) apply(this.store, write, position + 1);
    }
    assert.equal(this.store.revision, this.model.revision);
  }
}

test("reads, results and revisions are those of the model, through batches on their way and crashes", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom(0, 700, 1_000_000),
      (steps, cacheBytes) => {
        const world = new World(cacheBytes);
        for (const each of steps) world.run(each);
        for (const each of ["a", "b", "c", "d"]) world.run({ kind: "read", key: each });
      },
    ),
    { numRuns: 300 },
  );
});

test("two stores that apply the same entries write the same bytes, whatever their caches", () => {
  fc.assert(
    fc.property(fc.array(write, { minLength: 1, maxLength: 60 }), (writes) => {
      const stores = [0, 1_000_000].map((cacheBytes) => {
        const disk = new Disk();
        return { disk, store: new Store(disk, { cacheBytes }) };
      });
      const written = stores.map(({ disk, store }) =>
        writes.flatMap((each, position) => {
          apply(store, each, position + 1);
          if (position % 7 !== 6) return [];
          const changes = store.takeChanges();
          disk.write(changes);
          store.persisted();
          return changes.map((change) => [hex(change.key), change.value && hex(change.value)]);
        }),
      );
      assert.deepEqual(written[0], written[1]);
    }),
  );
});

test("how applied entries are cut into batches does not show in the durable state", () => {
  fc.assert(
    fc.property(
      fc.array(write, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 10 }),
      (writes, every) => {
        const records = [1, every].map((size) => {
          const disk = new Disk();
          const store = new Store(disk, { cacheBytes: 1000 });
          for (const [position, each] of writes.entries()) {
            apply(store, each, position + 1);
            if ((position + 1) % size !== 0 && position + 1 !== writes.length) continue;
            disk.write(store.takeChanges());
            store.persisted();
          }
          return [...disk.records]
            .map(([at, record]) => `${at} ${hex(record)}`)
            .sort((a, b) => (a < b ? -1 : 1));
        });
        assert.deepEqual(records[0], records[1]);
      },
    ),
  );
});
