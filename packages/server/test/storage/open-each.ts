/**
 * A process that opens the directories it is given and prints for each what it found: `whole` with a digest
 * of everything in the log and the hard state, or `refused`, at once or while reading. LevelDB
 * itself ends the process at some kinds of damage.
 */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { StartupError } from "../../src/platform/startup-error.ts";
import { DamageError } from "../../src/storage/damage.ts";
import { logOf, withStorage } from "./fixtures.ts";

for (const dataDir of process.argv.slice(2)) {
  let found = "refused";
  try {
    found = await withStorage(dataDir, (storage) => {
      const hash = createHash("sha256");
      const { term, votedFor, commit } = storage.hardState;
      hash.update(`${String(term)} ${String(votedFor)} ${String(commit)}`);
      for (const { index, term: ofTerm, data } of logOf(storage))
        hash.update(`${String(index)} ${String(ofTerm)}`).update(data);
      return `whole ${hash.digest("hex")}`;
    });
  } catch (error) {
    if (!(error instanceof StartupError || error instanceof DamageError)) throw error;
  }
  writeSync(1, `${found}\n`);
}
