/**
 * What is asked, as data: a stream of steps can be printed, kept in a file, made smaller, and played again.
 * Revisions and ids that are not known beforehand are named in relation to what is known when the step is
 * played, so that a step keeps its meaning when others are left out:
 *
 *     latest-3      a revision, counted from the newest that the server has told of
 *     compacted+1   a revision, counted from the one up to which history was given up
 *     chosen:2      the id that the server itself chose for the lease that was granted second without one
 *     member:home   the id of the member that is asked; member:newest of the one that was added last
 *     watcher:2     one of the watchers of the stream; they are counted round and round
 */
import type { Plain, PlainMessage } from "./message/plain.ts";

export interface Step {
  /** A method, `KV/Put`, or what is done with a stream, `Watch/create`. */
  readonly call: string;
  readonly request: PlainMessage;
  /** Who asks, by the token that this user got last; undefined: somebody without one. */
  readonly user?: string;
}

/** One line. */
export function describeStep({ call, request, user }: Step): string {
  return `${call} ${describe(request)}${user === undefined ? "" : ` as ${user}`}`;
}

/** Repetitions are counted instead of shown. */
export function describe(value: Plain): string {
  if (isList(value)) return `[${counted(value.map(describe)).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `${name}: ${describe(field)}`);
    return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
  }
  if (typeof value !== "string") return String(value);
  const text = JSON.stringify(value).replaceAll(
    /[\u007f-\u00ff]/g,
    (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`,
  );
  return text.length <= mostLetters ? text : `${text.slice(0, mostLetters)}… (${String(value.length)} bytes)`;
}

const mostLetters = 200;

function counted(items: readonly string[]): readonly string[] {
  const runs: { readonly item: string; times: number }[] = [];
  for (const item of items) {
    const last = runs.at(-1);
    if (last?.item === item) last.times += 1;
    else runs.push({ item, times: 1 });
  }
  return runs.map(({ item, times }) => (times === 1 ? item : `${item} ×${String(times)}`));
}

/** One step a line, as JSON. */
export function encodeSteps(steps: readonly Step[]): string {
  return steps.map((step) => `${JSON.stringify(step)}\n`).join("");
}

/** Reads what encodeSteps wrote; empty lines and those that begin with `#` do not count. Throws SyntaxError. */
export function decodeSteps(text: string): readonly Step[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines.map((line) => stepOf(JSON.parse(line), line));
}

function stepOf(value: unknown, line: string): Step {
  if (typeof value !== "object" || value === null) throw new SyntaxError(`no step: ${line}`);
  const { call, request, user } = value as Partial<Step>;
  if (typeof call !== "string" || typeof request !== "object") throw new SyntaxError(`no step: ${line}`);
  return { call, request, ...(user === undefined ? {} : { user }) };
}

export function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
