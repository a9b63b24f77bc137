/** Changes what a member has stored, behind its back. */
import { crc32 } from "node:zlib";
import { Database } from "../../src/storage/state/leveldb.ts";
import { databaseIn } from "./fixtures.ts";

/** The store's table of changes. */
const changes = { from: Uint8Array.of(0x11), before: Uint8Array.of(0x12) };

/** Where in the record of a change its key begins; the length of it stands before. The value follows. */
const keyOffset = 42;
const checksumBytes = 4;

/** Gives a key of a stopped member another value, with the right checksum: nothing shows that it was changed. */
export async function tamper(dataDir: string, name: string, value: string): Promise<void> {
  const database = await Database.open(databaseIn(dataDir), "existing");
  let latest: { readonly storedKey: Buffer; readonly beforeValue: Buffer } | undefined;
  for await (const [storedKey, record] of database.records(changes)) {
    const keyEnd = keyOffset + record.readUInt32BE(keyOffset - 4);
    if (record.toString("utf8", keyOffset, keyEnd) === name)
      latest = { storedKey, beforeValue: record.subarray(0, keyEnd) };
  }
  if (latest === undefined) throw new Error(`${name} is not stored`);
  const content = Buffer.concat([latest.beforeValue, Buffer.from(value)]);
  const checksum = Buffer.alloc(checksumBytes);
  checksum.writeUInt32BE(crc32(content, crc32(latest.storedKey)));
  const batch = database.batch();
  batch.put(latest.storedKey, Buffer.concat([content, checksum]));
  await batch.commit();
  await database.close();
}
