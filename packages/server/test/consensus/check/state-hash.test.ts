import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chunksOf, type StateRecord } from "@dkv/snapshot";
import { hashState } from "../../../src/consensus/check/state-hash.ts";

const record = (name: string, value: string): StateRecord => [Buffer.from(name), Buffer.from(value)];

/** A clock that counts how often others were let through. */
function patientClock() {
  const clock = {
    turns: 0,
    soon: (callback: () => void): void => {
      clock.turns += 1;
      setImmediate(callback);
    },
  };
  return clock;
}

async function* each(records: readonly StateRecord[]): AsyncGenerator<StateRecord> {
  for (const one of records) yield await Promise.resolve(one);
}

const snapshotOf = (records: readonly StateRecord[], chunkBytes = 1 << 18, header = "") => ({
  chunks: (skip: number) => chunksOf(each(records), { header: Buffer.from(header), skip, chunkBytes }),
});

async function hashOf(snapshot: ReturnType<typeof snapshotOf>): Promise<string | undefined> {
  const { signal } = new AbortController();
  return (await hashState(snapshot, { clock: patientClock(), signal }))?.toString("hex");
}

describe("the hash of a state", () => {
  const records = [record(" a", "one"), record(" b", ""), record(" c", "three")];

  it("is that of the bytes that are documented, in every version of dkv", async () => {
    // printf '\0\0\0\2\0\0\0\3 aone\0\0\0\2\0\0\0\0 b\0\0\0\2\0\0\0\5 cthree' | sha256sum
    assert.equal(
      await hashOf(snapshotOf(records)),
      "73eed87bb801625b9c5a1235c26870bae7d05f58fee8f2173d0e55e57f6014b1",
    );
  });

  it("does not show how the records were cut into chunks, nor of which snapshot they are", async () => {
    const expected = await hashOf(snapshotOf(records));
    for (const chunkBytes of [1, 20, 40])
      assert.equal(await hashOf(snapshotOf(records, chunkBytes, "another")), expected);
  });

  it("tells records apart that have the same bytes when they stand one after the other", async () => {
    const [one, other] = await Promise.all([
      hashOf(snapshotOf([record(" a", "bc")])),
      hashOf(snapshotOf([record(" ab", "c")])),
    ]);
    assert.notEqual(one, other);
  });

  it("lets others through after every slice, within a large record too", async () => {
    const clock = patientClock();
    const { signal } = new AbortController();
    const large = [record(" a", "x".repeat(1 << 20)), record(" b", "y".repeat(1 << 20))];
    await hashState(snapshotOf(large), { clock, signal });
    assert.ok(clock.turns >= 8, `${String(clock.turns)} turns for 2 MiB`);
  });

  it("stops when nobody wants it any more, and lets go of what it reads", async () => {
    const abort = new AbortController();
    let isClosed = false;
    const endless = async function* (): AsyncGenerator<StateRecord> {
      try {
        for (let at = 0; ; at += 1) {
          if (at === 5000) abort.abort();
          yield await Promise.resolve(record(` ${String(at).padStart(9, "0")}`, "value"));
        }
      } finally {
        isClosed = true;
      }
    };
    const chunks = (skip: number) => chunksOf(endless(), { header: Buffer.of(), skip, chunkBytes: 1000 });
    assert.equal(await hashState({ chunks }, { clock: patientClock(), signal: abort.signal }), undefined);
    assert.ok(isClosed);
  });
});
