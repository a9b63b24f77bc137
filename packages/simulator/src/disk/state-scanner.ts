/** Reads the state on a simulated disk. */
import type { KeyRange, StateScanner, StoredRecord } from "@dkv/store";
import { keyText, type StateRecords } from "./platter.ts";

/** So few that what is read takes several steps. */
const batchRecords = 20;

export interface StateOnDisk {
  /** Of the generation that is current. */
  readonly records: () => StateRecords;
  readonly isClosed: () => boolean;
  /** Resolves when something was found. */
  readonly read: () => Promise<void>;
}

export function scannerOf({ records, isClosed, read }: StateOnDisk): StateScanner {
  const opened = (meant: StateRecords): StateRecords => {
    if (isClosed() || records() !== meant) throw new Error("the database was closed");
    return meant;
  };
  return {
    get: (key) => records().get(keyText(key)),
    async getMany(keys) {
      const meant = records();
      await read();
      return keys.map((key) => opened(meant).get(keyText(key)));
    },
    scan(range) {
      const meant = records();
      return scan({ opened: () => opened(meant), read }, range);
    },
  };
}

interface Reading {
  /** Throws if there is nothing to be read there any more. */
  readonly opened: () => StateRecords;
  readonly read: () => Promise<void>;
}

async function* scan(
  { opened, read }: Reading,
  { from, before }: KeyRange,
): AsyncGenerator<readonly StoredRecord[]> {
  const [first, end] = [keyText(from), keyText(before)];
  const records = [...opened()]
    .filter(([key]) => key >= first && key < end)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]): StoredRecord => [Buffer.from(key, "latin1"), value]);
  for (let start = 0; start < records.length; start += batchRecords) {
    await read();
    opened();
    yield records.slice(start, start + batchRecords);
  }
}
