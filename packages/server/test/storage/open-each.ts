/**
 * A process that opens the directories it is given and prints for each what it found: `whole`; `misses` if
 * some key is not there; `wrong` if a key has another value than it was given, or the log another entry;
 * or `refused`, at once or while reading. LevelDB itself ends the process at some kinds of damage.
 */
import { writeSync } from "node:fs";
import { DamagedRecordError, Store } from "@dkv/store";
import { StartupError } from "../../src/platform/startup-error.ts";
import { DamageError } from "../../src/storage/damage.ts";
import { bytes, logOf, text, withStorage } from "./fixtures.ts";

/** Keys `key 1` to `key <count>`, each with its own name as the value. */
const count = Number(process.argv[2]);

for (const dataDir of process.argv.slice(3)) {
  let found: string;
  try {
    found = await withStorage(dataDir, (storage) => {
      if (logOf(storage).length !== count) return "wrong";
      const store = new Store(storage.state, { cacheBytes: 0 });
      const keys = Array.from({ length: count }, (_, position) => `key ${String(position + 1)}`);
      const values = keys.map((key) => text(store.get(bytes(key))?.value));
      if (values.some((value, position) => value !== undefined && value !== keys[position])) return "wrong";
      return values.includes(undefined) ? "misses" : "whole";
    });
  } catch (error) {
    const isRefusal =
      error instanceof StartupError || error instanceof DamageError || error instanceof DamagedRecordError;
    if (!isRefusal) throw error;
    found = "refused";
  }
  writeSync(1, `${found}\n`);
}
