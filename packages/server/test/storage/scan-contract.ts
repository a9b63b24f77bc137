/** The part of the storage contract that is about reading many records of the state at once. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { logIndex, term } from "@dkv/raft";
import type { KeyRange, RecordChange, StateScanner, StoredRecord } from "@dkv/store";
import type { Storage } from "../../src/storage/storage.ts";
import type { Medium } from "./contract.ts";
import { batch, change, changes, configuration, entry, hardState, stateKey, text } from "./fixtures.ts";
import { storeRecords } from "./store-records.ts";

/** Names of keys with their values, in the order in which they come. */
type Rows = readonly (readonly [string, string | undefined])[];

const rowsOf = (records: readonly StoredRecord[]): Rows =>
  records.map(([key, value]) => [Buffer.from(key).toString("latin1").slice(1), text(value)]);

/** Everything that tests put there, and not the position. */
const all: KeyRange = { from: Uint8Array.of(0x20), before: Uint8Array.of(0x21) };

async function scanned(state: StateScanner, range: KeyRange): Promise<Rows> {
  const rows: (readonly [string, string | undefined])[] = [];
  for await (const records of state.scan(range)) rows.push(...rowsOf(records));
  return rows;
}

const nameOf = (number: number): string => `key ${String(number).padStart(5, "0")}`;

/** More than any storage reads at a time. */
const many = 3000;
const manyRecords = Array.from(
  { length: many },
  (_, number): RecordChange => change(nameOf(number), `value ${String(number)}`),
);
const manyRows: Rows = manyRecords.map(({ value }, number) => [nameOf(number), text(value)]);

export function scanContract(createMedium: (context: TestContext) => Promise<Medium>): void {
  const opened = async (context: TestContext): Promise<Storage> => (await createMedium(context)).open();

  describe("scans", () => {
    test("a range comes in the order of its keys, with its first one and without its end", async (context) => {
      const medium = await createMedium(context);
      const storage = await medium.open();
      const names = ["b", "a\xff", "c", "", "a", "a\x00", "\xff", "ab"];
      await storage.save(
        changes(names.map((name) => ({ key: Buffer.from(` ${name}`, "latin1"), value: Buffer.from("1") }))),
      );
      await storage.save(changes([change("b", "2"), change("ab", undefined)]));
      const check = async ({ state }: Storage): Promise<void> => {
        const ordered = ["", "a", "a\x00", "a\xff", "b", "c", "\xff"];
        const rows = ordered.map((name) => [name, name === "b" ? "2" : "1"]);
        assert.deepEqual(await scanned(state, all), rows);
        const within = await scanned(state, { from: stateKey("a\x00"), before: stateKey("c") });
        assert.deepEqual(within, rows.slice(2, 5));
        for (const empty of ["b", "a"])
          assert.deepEqual(await scanned(state, { from: stateKey("b"), before: stateKey(empty) }), []);
        assert.deepEqual(await scanned(state, { from: stateKey("d"), before: stateKey("e") }), []);
      };
      await check(storage);
      await storage.close();
      const again = await medium.open();
      await check(again);
      await again.close();
    });

    test("a large range comes in batches, and nothing is lost or doubled between them", async (context) => {
      const storage = await opened(context);
      await storage.save(changes(manyRecords));
      let batches = 0;
      const rows: (readonly [string, string | undefined])[] = [];
      for await (const records of storage.state.scan(all)) {
        batches += 1;
        rows.push(...rowsOf(records));
      }
      assert.ok(batches > 1);
      assert.deepEqual(rows, manyRows);
      await storage.close();
    });

    test("what is written once the first batch was asked for is not seen, what was before is", async (context) => {
      const storage = await opened(context);
      await storage.save(changes(manyRecords.slice(1)));
      const scan = storage.state.scan(all);
      await storage.save(changes(manyRecords.slice(0, 1)));
      const first = scan.next();
      const last = nameOf(many - 1);
      await storage.save(
        changes([change(last, "changed"), change(nameOf(many - 2), undefined), change("z", "")]),
      );
      const rows = [...rowsOf((await first).value)];
      for await (const records of scan) rows.push(...rowsOf(records));
      assert.deepEqual(rows, manyRows);
      assert.deepEqual((await scanned(storage.state, all)).slice(-2), [
        [last, "changed"],
        ["z", ""],
      ]);
      await storage.close();
    });

    test("several go on beside each other, and one that is left early holds nothing up", async (context) => {
      const storage = await opened(context);
      await storage.save(changes(manyRecords));
      for await (const records of storage.state.scan(all)) {
        assert.deepEqual(rowsOf(records)[0], manyRows[0]);
        break;
      }
      const both = await Promise.all([scanned(storage.state, all), scanned(storage.state, all)]);
      assert.deepEqual(both, [manyRows, manyRows]);
      await storage.close();
    });

    test("one that has not ended when the storage is closed ends with an error", async (context) => {
      const storage = await opened(context);
      await storage.save(changes(manyRecords));
      const [begun, untouched] = [storage.state.scan(all), storage.state.scan(all)];
      await begun.next();
      await storage.close();
      await assert.rejects(begun.next(), /closed/);
      await assert.rejects(untouched.next(), /closed/);
      await assert.rejects(scanned(storage.state, all), /closed/);
    });

    test("one that is under way when another state takes over never mixes the two", async (context) => {
      const [from, to] = [await opened(context), await opened(context)];
      const value = (of: string): Readonly<Record<string, string>> =>
        Object.fromEntries(manyRows.map(([name]) => [name, of]));
      for (const [storage, of] of [[from, "theirs"] as const, [to, "ours"] as const]) {
        const index = of === "theirs" ? 5 : 1;
        const entries = Array.from({ length: index }, (_, position) => entry(position + 1, 1));
        await storage.append(batch({ hardState: hardState(1), entries }));
        await storage.save(storeRecords(storage.state, { index, term: 1 }, value(of)));
      }
      const before = await records(to.state.scan(everything));
      const [begun, other] = [to.state.scan(everything), to.state.scan(everything)];
      const first = asText((await begun.next()).value);
      await other.next();
      await takeOver(from, to);
      const rest = await records(begun).catch((error: unknown) => error);
      if (Array.isArray(rest)) assert.deepEqual([...first, ...rest], before);
      else assert.match(String(rest), /closed/);
      const after = await records(to.state.scan(everything));
      assert.deepEqual(after, await records(from.state.scan(everything)));
      await Promise.all([from.close(), to.close()]);
      await assert.rejects(records(other), /closed/);
    });
  });

  describe("many keys at once", () => {
    test("give their values in the same order, with gaps for those that are missing", async (context) => {
      const storage = await opened(context);
      await storage.save(changes(manyRecords));
      const { state } = storage;
      const names = ["nobody", nameOf(7), nameOf(2), nameOf(7), "nobody", nameOf(many - 1)];
      const values = await state.getMany(names.map(stateKey));
      assert.deepEqual(values.map(text), [
        undefined,
        "value 7",
        "value 2",
        "value 7",
        undefined,
        "value 2999",
      ]);
      assert.deepEqual(await state.getMany([]), []);
      const whole = await state.getMany(manyRecords.map(({ key }) => key).toReversed());
      assert.deepEqual(whole.map(text), manyRows.map(([, value]) => value).toReversed());
      await storage.save(changes([change(nameOf(7), undefined), change(nameOf(2), "")]));
      assert.deepEqual((await state.getMany(names.slice(0, 3).map(stateKey))).map(text), [
        undefined,
        undefined,
        "",
      ]);
      await storage.close();
      await assert.rejects(state.getMany([stateKey("a")]), /closed|not open/);
    });
  });
}

/** Of the whole store. */
const everything: KeyRange = { from: Uint8Array.of(0x10), before: Uint8Array.of(0xff) };

/** As text: which class the bytes are of makes no difference. */
const asText = (some: readonly StoredRecord[]): readonly string[] =>
  some.map(([key, value]) => `${Buffer.from(key).toString("hex")} ${Buffer.from(value).toString("hex")}`);

async function records(scan: AsyncIterable<readonly StoredRecord[]>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const some of scan) found.push(...asText(some));
  return found;
}

/** The state of the one takes the place of the other's. */
async function takeOver(from: Storage, to: Storage): Promise<void> {
  const snapshot = from.takeSnapshot();
  const incoming = await to.receiveSnapshot(snapshot.header);
  const chunks = snapshot.chunks(0);
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) {
      await incoming.finish(next.value);
      break;
    }
    await incoming.write(next.value);
  }
  await snapshot.close();
  const last = { index: logIndex(5), term: term(1) };
  await to.append(batch({ hardState: hardState(1, 5), snapshot: { last, configuration: configuration(2) } }));
}
