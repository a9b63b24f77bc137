import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeCommand, type KeyValue, type StateScanner } from "@dkv/store";
import { StateMachineSafety } from "../../src/checkers/state-machine.ts";
import { scannerOf } from "../../src/disk/state-scanner.ts";
import { emptyPlatter, keyText, type Platter } from "../../src/disk/platter.ts";
import { type ApplyWitness, ObservedStore } from "../../src/process/observed-store.ts";
import { remove, set } from "./fixtures.ts";

/** Believes everything. */
const idle: ApplyWitness = {
  applied: () => undefined,
  skipped: () => undefined,
  restored: () => undefined,
};

/** Reads what is there, at once. */
const scannerOver = (records: ReadonlyMap<string, Buffer>): StateScanner =>
  scannerOf({ records: () => new Map(records), isClosed: () => false, read: () => Promise.resolve() });

const nothing = scannerOver(new Map());

/** Of term 1. */
const apply = (store: ObservedStore, index: number, data: Uint8Array, term = 1): void => {
  store.apply({ index, term }, decodeCommand(data), { isWanted: true });
};

const options = { cacheBytes: 1000 };

const storeFor = (witness: ApplyWitness, reader = nothing): ObservedStore =>
  new ObservedStore(reader, options, witness);

/** One that finds something else than there is. */
class Liar extends ObservedStore {
  lie: (truth: KeyValue | undefined) => KeyValue | undefined = (truth) => truth;

  override get(key: Uint8Array): KeyValue | undefined {
    return this.lie(super.get(key));
  }
}

/** What the store would save, on a disk. */
function saved(store: ObservedStore): Platter {
  const platter = emptyPlatter({ voters: [], outgoing: [], learners: [], context: new Uint8Array() });
  for (const { key, value } of store.takeChanges())
    if (value !== undefined) platter.current.state.set(keyText(key), Buffer.from(value));
  platter.current.marker = { appliedIndex: store.appliedIndex, durableRecord: 0 };
  return platter;
}

const readerOf = ({ current }: Platter): StateScanner => scannerOver(current.state);

describe("applying an entry", () => {
  it("may change the key as the log says", () => {
    const store = storeFor(new StateMachineSafety());
    store.skip({ index: 1, term: 1 });
    for (const [index, data] of [set("a", "1"), set("a", "2"), remove("a"), remove("b")].entries())
      apply(store, index + 2, data);
  });

  const wrong: Readonly<Record<string, (truth: KeyValue) => KeyValue | undefined>> = {
    "has nothing under the key": () => undefined,
    "has another value": (truth) => ({ ...truth, value: Buffer.from("2") }),
    "has another revision": (truth) => ({ ...truth, modRevision: 9 }),
    "says that the key is older": (truth) => ({ ...truth, createRevision: 1 }),
    "counts another number of versions": (truth) => ({ ...truth, version: 7 }),
  };
  for (const [words, lie] of Object.entries(wrong))
    it(`is seen if the member then ${words}`, () => {
      const store = new Liar(nothing, options, new StateMachineSafety());
      store.lie = (truth) => truth && lie(truth);
      assert.throws(() => apply(store, 1, set("a", "1")), /behind entry 1, a member has a at revision/);
    });

  it("is seen if the member still has what was deleted", () => {
    const store = new Liar(nothing, options, new StateMachineSafety());
    apply(store, 1, set("a", "1"));
    const before = store.get(Buffer.from("a"));
    store.lie = () => before;
    assert.throws(() => apply(store, 2, remove("a")), /at revision 2, not none/);
  });

  it("is seen if another member has passed an entry without a command there", () => {
    const checker = new StateMachineSafety();
    apply(storeFor(checker), 1, set("a", "1"));
    assert.throws(() => storeFor(checker).skip({ index: 1, term: 1 }), /different entries at 1/);
  });

  it("is seen if another member has applied the like in another term", () => {
    const checker = new StateMachineSafety();
    apply(storeFor(checker), 1, set("a", "1"));
    assert.throws(
      () => apply(storeFor(checker), 1, set("a", "1"), 2),
      /different entries at 1: of term 1 and 2/,
    );
  });

  it("is seen if its command was applied before", () => {
    const store = storeFor(new StateMachineSafety());
    apply(store, 1, set("a", "1"));
    assert.throws(() => apply(store, 2, set("a", "1")), /one command was applied twice, at 1 and at 2/);
  });

  it("is seen if it gives a result that the log does not give", () => {
    const checker = new StateMachineSafety();
    checker.truth.applied({ index: 1, term: 1, data: set("a", "1") });
    // This one begins with a state in which something else was written.
    const other = storeFor(idle);
    apply(other, 1, remove("a"));
    const store = storeFor(checker, readerOf(saved(other)));
    assert.throws(() => apply(store, 2, set("a", "2")), /gave revision 2, not 3/);
  });
});

describe("a whole state", () => {
  const stateOf = (...entries: readonly Uint8Array[]): ObservedStore => {
    const store = storeFor(idle);
    for (const [index, data] of entries.entries()) apply(store, index + 1, data);
    return store;
  };
  const checkerOf = (...entries: readonly (Uint8Array | undefined)[]): StateMachineSafety => {
    const checker = new StateMachineSafety();
    for (const [index, data] of entries.entries()) checker.truth.applied({ index: index + 1, term: 1, data });
    return checker;
  };

  it("may be that of any index, whatever came later", () => {
    const checker = checkerOf(set("a", "1"), set("b", "1"), remove("a"));
    checker.whole(stateOf());
    checker.whole(stateOf(set("a", "1"), set("b", "1")));
    checker.whole(stateOf(set("a", "1"), set("b", "1"), remove("a")));
  });

  it("is seen if it is ahead of all, has another revision, or another key", () => {
    const state = stateOf(set("a", "1"));
    assert.throws(() => checkerOf().whole(state), /says that 1 was applied, which nobody did/);
    assert.throws(() => checkerOf(undefined).whole(state), /at 1 has revision 2, not 1/);
    assert.throws(() => checkerOf(set("b", "1")).whole(state), /has b at revision none, not 2/);
    assert.throws(() => checkerOf(set("a", "2")).whole(state), /has a at revision 2/);
  });

  it("is looked at when it has come from another member", () => {
    const platter = saved(stateOf(set("a", "1")));
    storeFor(checkerOf(set("a", "1")), readerOf(platter)).restored();
    const wrong = storeFor(checkerOf(set("b", "1")), readerOf(platter));
    assert.throws(() => wrong.restored(), /has b at revision none/);
  });

  it("is seen if a disk holds a key that was deleted before, or never set", () => {
    const platter = saved(stateOf(set("a", "1")));
    checkerOf(set("a", "1")).strays(platter);
    checkerOf(set("a", "1"), remove("a")).strays(platter);
    assert.throws(() => checkerOf(set("b", "1")).strays(platter), /holds the key a, which was deleted/);
    platter.current.marker = { ...platter.current.marker, appliedIndex: 2 };
    assert.throws(() => checkerOf(set("a", "1"), remove("a")).strays(platter), /holds the key a/);
    // It was not there yet.
    platter.current.marker = { ...platter.current.marker, appliedIndex: 0 };
    assert.throws(() => checkerOf(set("a", "1")).strays(platter), /holds the key a/);
  });
});
