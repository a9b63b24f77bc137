/**
 * A process that writes entries as fast as the disk takes them and prints the index of each once it is
 * durable. Ends when it is killed or a write fails.
 */
import { writeSync } from "node:fs";
import { batch, change, changes, entry, hardState, open } from "./fixtures.ts";

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

try {
  const { storage } = await open(process.argv[2] ?? "");
  const first = storage.log.lastIndex + 1;
  for (let index = first; ; index += 1) {
    const turn = batch({
      hardState: hardState(1, index),
      entries: [entry(index, 1, "x".repeat(index % 500))],
    });
    try {
      await storage.append(turn);
      if (index % 10 === 0) await storage.save(changes([change("last", String(index))], { index, term: 1 }));
    } catch (error) {
      await storage.append(turn).catch((second: unknown) => {
        writeSync(2, `then: ${message(second)}\n`);
      });
      throw error;
    }
    writeSync(1, `${String(index)}\n`);
  }
} catch (error) {
  writeSync(2, `${message(error)}\n`);
  process.exit(1);
}
