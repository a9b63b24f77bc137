/** What members print, kept in files that do not grow without end. */
import { mkdirSync, renameSync, type WriteStream, createWriteStream } from "node:fs";
import { join } from "node:path";

/** Of one file; the one before it is kept as well. */
const largest = 16 * 2 ** 20;

interface LogFile {
  stream: WriteStream;
  bytes: number;
}

/** One file a member, `NAME.log`, preceded by `NAME.log.1`. */
export class LogFiles {
  readonly #directory: string;
  readonly #files = new Map<string, LogFile>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  readonly write = (member: string, line: string): void => {
    const file = this.#fileOf(member);
    file.stream.write(`${line}\n`);
    file.bytes += line.length + 1;
    if (file.bytes <= largest) return;
    file.stream.end();
    renameSync(this.#path(member), `${this.#path(member)}.1`);
    this.#files.delete(member);
  };

  close(): void {
    for (const { stream } of this.#files.values()) stream.end();
    this.#files.clear();
  }

  #fileOf(member: string): LogFile {
    const known = this.#files.get(member);
    if (known !== undefined) return known;
    const file = { stream: createWriteStream(this.#path(member), { flags: "a" }), bytes: 0 };
    // Created now, so that it can be renamed whenever it is full.
    this.#files.set(member, file);
    return file;
  }

  #path(member: string): string {
    return join(this.#directory, `${member}.log`);
  }
}
