import { Exit, exitCodes } from "../exit.ts";
import { fileTrouble } from "../file-trouble.ts";

const lineFeed = 0x0a;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Text in lines, without line ends: LF or CR LF. JSON has others, such as U+2028, inside its strings, so
 * nothing else ends one. A byte order mark is left out.
 *
 * @param name of what is read, for complaints
 * @throws Exit if it cannot be read, or a line is not UTF-8: to guess would change what is written
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  let [pieces, at] = [[] as Uint8Array[], 0];
  const take = (last: Uint8Array): string => {
    const bytes = pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
    pieces = [];
    at += 1;
    return decode(bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes, at);
  };
  try {
    for await (const chunk of chunks) {
      let start = 0;
      for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
        yield take(chunk.subarray(start, end));
        start = end + 1;
      }
      if (start < chunk.length) pieces.push(chunk.subarray(start));
    }
    if (pieces.length > 0) yield take(new Uint8Array());
  } catch (error) {
    if (error instanceof Exit) throw error;
    throw new Exit(exitCodes.failure, `cannot read ${name}: ${fileTrouble(error)}`, { cause: error });
  }
}

function decode(bytes: Uint8Array, at: number): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new Exit(exitCodes.failure, `line ${at} is not valid UTF-8`, { cause: error });
  }
}
