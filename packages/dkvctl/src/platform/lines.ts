import { createReadStream } from "node:fs";

import { splitLines } from "./split-lines.ts";

/** The lines of a file, without line ends. @throws Exit if it cannot be read, or is not UTF-8 */
export function linesOf(path: string): AsyncIterable<string> {
  return splitLines(createReadStream(path, { highWaterMark: 1 << 18 }), path);
}
