/** The configurations of a log, against a model that looks at every entry each time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantViolation } from "../src/assert.ts";
import { encodeConfiguration } from "../src/configuration/codec.ts";
import type { ConfigurationAt } from "../src/configuration/configuration.ts";
import { ConfigurationHistory } from "../src/configuration/history.ts";
import { type Entry, logIndex } from "../src/types.ts";
import { at, entry, members } from "./solo.ts";

/** The entry makes node `voter` the only one. */
function configurationEntry(index: number, ofTerm: number, voter: number): Entry {
  return { ...at(index, ofTerm), kind: "configuration", data: encodeConfiguration(members([voter])) };
}

const base: ConfigurationAt = { index: logIndex(0), configuration: members([99]) };

/** Every configuration, and where it came from, by looking at all entries. */
class Model {
  entries: Entry[] = [];
  dropped = 0;
  voters = new Map<number, number>([[0, 99]]);

  append(first: number, made: readonly Entry[], voters: ReadonlyMap<number, number>): void {
    this.entries = [...this.entries.filter(({ index }) => index < first), ...made];
    for (const index of this.voters.keys()) if (index >= first) this.voters.delete(index);
    for (const [index, voter] of voters) this.voters.set(index, voter);
  }

  /** The index of the configuration in force at an index. */
  at(index: number): number {
    return Math.max(...[...this.voters.keys()].filter((one) => one <= index));
  }

  expected(): readonly (readonly [number, number])[] {
    const first = this.at(this.dropped);
    return [...this.voters].filter(([index]) => index >= first).toSorted(([a], [b]) => a - b);
  }
}

const told = (history: ConfigurationHistory): readonly (readonly [number, number])[] =>
  history.all().map(({ index, configuration }) => [index, Number(configuration.voters[0])]);

interface Append {
  readonly kind: "append";
  /** How many of the last entries are replaced. */
  readonly replaced: number;
  /** Voter of a configuration, or 0 for another entry. */
  readonly voters: readonly number[];
}

const append: fc.Arbitrary<Append> = fc.record({
  kind: fc.constant("append"),
  replaced: fc.nat(6),
  voters: fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 9 })), {
    minLength: 1,
    maxLength: 5,
  }),
});
const compact = fc.record({ kind: fc.constant("compact" as const), part: fc.nat(100) });

test("a history knows at each index what a look at every entry would tell, whatever is replaced and dropped", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 3, arbitrary: append }, compact), { maxLength: 20 }),
      (actions) => {
        const history = new ConfigurationHistory(base);
        const model = new Model();
        let last = 0;
        for (const action of actions) {
          if (action.kind === "compact") {
            model.dropped += Math.floor(((last - model.dropped) * action.part) / 100);
            history.compact(logIndex(model.dropped));
          } else {
            const first = Math.max(last - action.replaced, model.dropped) + 1;
            const made = action.voters.map((voter, position) =>
              voter === 0 ? entry(first + position, 1) : configurationEntry(first + position, 1, voter),
            );
            const voters = action.voters.map((voter, position): [number, number] => [
              first + position,
              voter,
            ]);
            model.append(first, made, new Map(voters.filter(([, voter]) => voter !== 0)));
            history.append(made);
            last = first + made.length - 1;
          }
          assert.deepEqual(told(history), model.expected());
          assert.equal(history.latest.index, model.at(last));
          for (let index = model.dropped; index <= last; index += 1)
            assert.equal(history.at(logIndex(index)).index, model.at(index));
        }
      },
    ),
  );
});

test("what lies before the base is not known", () => {
  const history = new ConfigurationHistory(base);
  history.append([configurationEntry(3, 1, 1), entry(4, 1), configurationEntry(5, 1, 2)]);
  history.compact(logIndex(4));
  assert.deepEqual(told(history), [
    [3, 1],
    [5, 2],
  ]);
  assert.throws(() => history.at(logIndex(2)), InvariantViolation);
});

test("the base stays, even if entries are replaced from there on", () => {
  const history = new ConfigurationHistory({ index: logIndex(5), configuration: members([1]) });
  history.append([configurationEntry(6, 1, 2)]);
  history.append([entry(6, 2)]);
  assert.deepEqual(told(history), [[5, 1]]);
});

test("a history is in the order of the log", () => {
  const later = (...indices: number[]): ConfigurationAt[] =>
    indices.map((index) => ({ index: logIndex(index), configuration: members([index]) }));
  assert.deepEqual(told(new ConfigurationHistory(base, later(2, 5))), [
    [0, 99],
    [2, 2],
    [5, 5],
  ]);
  for (const wrong of [[5, 2], [2, 2], [0]])
    assert.throws(() => new ConfigurationHistory(base, later(...wrong)), InvariantViolation);
});

test("an entry that is no configuration is refused", () => {
  const broken: Entry = { ...entry(1, 1), kind: "configuration" };
  assert.throws(() => {
    new ConfigurationHistory(base).append([broken]);
  }, RangeError);
});
