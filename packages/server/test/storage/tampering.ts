/** Changes what a member has stored, behind its back. */
import { crc32 } from "node:zlib";
import { Database } from "../../src/storage/state/leveldb.ts";
import { databaseIn, stateKey } from "./fixtures.ts";

/** What stands before the value in the record of a key, and behind it. */
const headerBytes = 25;
const checksumBytes = 4;

/** Gives a key of a stopped member another value, with the right checksum: nothing shows that it was changed. */
export async function tamper(dataDir: string, name: string, value: string): Promise<void> {
  const database = await Database.open(databaseIn(dataDir), "existing");
  const key = stateKey(name);
  const record = database.get(key);
  if (record === undefined) throw new Error(`${name} is not stored`);
  const content = Buffer.concat([record.subarray(0, headerBytes), Buffer.from(value)]);
  const checksum = Buffer.alloc(checksumBytes);
  checksum.writeUInt32BE(crc32(content, crc32(key)));
  const batch = database.batch();
  batch.put(key, Buffer.concat([content, checksum]));
  await batch.commit();
  await database.close();
}
