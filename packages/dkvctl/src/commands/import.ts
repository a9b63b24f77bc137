import { DkvClientError, type Pipe } from "@dkv/client";

import { Exit, exitCodes, usageError } from "../exit.ts";
import { line } from "../output/json.ts";
import { progressOn } from "../output/progress.ts";
import { linesOf } from "../platform/lines.ts";
import type { CommandContext } from "./command.ts";

export interface ImportRequest {
  /** `-`: standard input. */
  readonly path: string;
  /** The first line that is wanted, counting from 1. */
  readonly fromLine: number;
}

/** Sets that are under way at the same time. */
const inFlight = 256;
/** Said again after so many keys. */
const progressStep = 1000;

/**
 * Sets keys from JSON lines, many at the same time. Says how many at the end, by default on standard
 * error. @throws Exit that says from which line to go on: setting a key again to the same does no
 * harm, unless others write it
 */
export async function importKeys(context: CommandContext, { path, fromLine }: ImportRequest): Promise<void> {
  const { client, output, io } = context;
  if (fromLine < 1) throw usageError("--from-line 0 is no line: the first one is 1");
  const progress = progressOn(io, progressStep, countOf);
  const done = new DoneLines(fromLine);
  await io.interruptible(async (signal) => {
    const pipe = client.pipe({ maxInFlight: inFlight });
    try {
      await send(pipe, path === "-" ? io.lines() : linesOf(path), {
        done,
        signal,
        onDone: () => progress.add(1),
      });
      await pipe.close();
    } catch (error) {
      progress.end();
      throw done.next === fromLine && error instanceof Exit ? error : withWayOn(error, done);
    }
  });
  progress.end();
  if (output === "json") await io.print(line({ imported: done.count, lines: done.next - 1 }));
  else io.explain(`${countOf(done.count)} set\n`);
}

const countOf = (keys: number): string => `${keys} ${keys === 1 ? "key" : "keys"}`;

/** Which lines are done: all before `next`, and some behind it. */
class DoneLines {
  next: number;
  count = 0;
  readonly #beyond = new Set<number>();

  constructor(next: number) {
    this.next = next;
  }

  /** @param isKey whether the line was one, and not empty */
  add(at: number, isKey: boolean): void {
    if (isKey) this.count += 1;
    this.#beyond.add(at);
    while (this.#beyond.delete(this.next)) this.next += 1;
  }
}

interface Sending {
  readonly done: DoneLines;
  readonly signal: AbortSignal;
  readonly onDone: () => void;
}

/**
 * Resolves when all are answered. Rejects with the first failure, when all that are under way have ended. One
 * key is set by one line after the other: what is sent again is done after what was sent meanwhile.
 */
async function send(
  pipe: Pipe,
  lines: AsyncIterable<string>,
  { done, signal, onDone }: Sending,
): Promise<void> {
  const first = done.next;
  const underWay = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  let at = 0;
  for await (const text of readable(lines, failures)) {
    at += 1;
    if (at < first) continue;
    if (failures.length > 0 || signal.aborted) break;
    const entry = text.trim() === "" ? undefined : tryParse(text, at, failures);
    if (failures.length > 0) break;
    if (entry === undefined) {
      done.add(at, false);
      continue;
    }
    const position = at;
    const { key, value } = entry;
    await underWay.get(key);
    if (failures.length > 0) break;
    const work = pipe.set(key, value).then(
      () => {
        done.add(position, true);
        onDone();
      },
      (error: unknown) => {
        failures.push(error);
      },
    );
    underWay.set(key, work);
    void work.then(() => underWay.delete(key));
    if (underWay.size >= 2 * inFlight) await Promise.race(underWay.values());
  }
  await Promise.all(underWay.values());
  if (failures.length > 0) throw failures[0];
  if (signal.aborted) throw new Exit(exitCodes.failure, "interrupted");
  if (at < first - 1) throw usageError(`--from-line ${first} is past the end: there are ${at} lines`);
}

/** Lines up to the first that cannot be read: that is a failure like others. */
async function* readable(lines: AsyncIterable<string>, failures: unknown[]): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch (error) {
    failures.push(error);
  }
}

interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
}

function tryParse(text: string, at: number, failures: unknown[]): Entry | undefined {
  try {
    return parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    failures.push(new Exit(exitCodes.failure, `line ${at} is no key and value: ${reason}`, { cause: error }));
    return undefined;
  }
}

function parse(text: string): Entry {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null) throw new Error("it is no JSON object");
  const fields: Readonly<Record<string, unknown>> = { ...parsed };
  const { key, value, value_base64: base64, ...others } = fields;
  if ("key_base64" in fields) throw new Error("its key is no text, and such keys cannot be set here");
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new Error(`${JSON.stringify(unknown)} has no meaning here: there are key, value and value_base64`);
  if (value !== undefined && base64 !== undefined) throw new Error("it has both value and value_base64");
  if (typeof key !== "string" || key === "") throw new Error('"key" is no text, or empty');
  if (typeof base64 === "string" && /^[A-Za-z\d+/]*={0,2}$/.test(base64))
    return { key, value: Buffer.from(base64, "base64") };
  if (base64 !== undefined) throw new Error('"value_base64" is no base64');
  if (typeof value !== "string") throw new Error('"value" is no text');
  return { key, value: Buffer.from(value) };
}

function withWayOn(error: unknown, { next, count }: DoneLines): unknown {
  if (!(error instanceof DkvClientError || error instanceof Exit)) return error;
  const open =
    error instanceof DkvClientError && error.retry === "outcomeUnknown"
      ? " (the line where it broke off may have been set)"
      : "";
  const set = `${countOf(count)} ${count === 1 ? "was" : "were"} set${open}, and all lines before ${next}`;
  return new Exit(exitCodes.failure, `${error.message}; ${set}: go on with --from-line=${next}`, {
    cause: error,
  });
}
