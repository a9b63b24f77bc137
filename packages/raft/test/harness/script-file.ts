/**
 * Scripts as text: blocks of commands, a line `----`, and what the cluster did.
 *
 *   # What is proved, in one sentence.
 *   # Source: where it is written.
 *
 *   cluster 1,2,3 leader=1
 *   (wait 3)
 *   ----
 *   ok
 *
 * A command in parentheses is run without printing. Comments stand between blocks or among commands.
 */
import { InvariantViolation } from "../../src/assert.ts";
import type { Story } from "./story.ts";

interface Block {
  /** Comments and commands as written, above the line. */
  readonly head: readonly string[];
  /** Undefined for comments that no command follows. */
  readonly expected: readonly string[] | undefined;
  /** Line of the file at which the block begins, from 1. */
  readonly line: number;
}

/** What a script should be, and what it is. */
export interface Outcome {
  readonly text: string;
  /** Readable descriptions of each block that turned out otherwise. */
  readonly differences: readonly string[];
}

/** Splits a script into blocks. Throws Error if commands have no line `----` below them. */
export function parseScript(text: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  let at = 0;
  while (at < lines.length) {
    const start = at;
    while (at < lines.length && lines[at] !== "") at += 1;
    const block = lines.slice(start, at);
    if (block.length > 0) blocks.push(parseBlock(block, start + 1));
    at += 1;
  }
  return blocks;
}

function parseBlock(lines: readonly string[], line: number): Block {
  const ruler = lines.indexOf("----");
  if (ruler !== -1) return { head: lines.slice(0, ruler), expected: lines.slice(ruler + 1), line };
  if (lines.every((one) => one.startsWith("#"))) return { head: lines, expected: undefined, line };
  throw new Error(`line ${String(line)}: commands are followed by a line ----`);
}

/** Plays a whole script. A violated invariant is thrown on, with the place where it happened. */
export function playScript(blocks: readonly Block[], story: Story): Outcome {
  const played = blocks.map((block) => ({ block, actual: playBlock(block, story) }));
  story.end();
  const differences = played.flatMap(({ block, actual }) => difference(block, actual) ?? []);
  const text = played.map(({ block, actual }) => printBlock(block, actual)).join("\n\n");
  return { text: `${text}\n`, differences };
}

function playBlock({ head, expected, line }: Block, story: Story): readonly string[] | undefined {
  if (expected === undefined) return undefined;
  const printed: string[] = [];
  for (const [position, text] of head.entries()) {
    if (text.startsWith("#")) continue;
    const silenced = /^\((?<command>.*)\)$/.exec(text)?.groups?.["command"];
    try {
      const lines = story.run(silenced ?? text);
      if (silenced === undefined) printed.push(...lines);
    } catch (cause) {
      const place = `line ${String(line + position)}: ${text}`;
      const problem = cause instanceof InvariantViolation ? cause.message : String(cause);
      throw new Error([place, problem, ...story.unread()].join("\n"), { cause });
    }
  }
  return printed.length === 0 ? ["ok"] : printed;
}

function printBlock({ head, expected }: Block, actual: readonly string[] | undefined): string {
  return expected === undefined || actual === undefined
    ? head.join("\n")
    : [...head, "----", ...actual].join("\n");
}

/**
 * The block with every line marked that is missing (-) or was not expected (+); undefined if all is as
 * written.
 */
function difference(
  { head, expected, line }: Block,
  actual: readonly string[] | undefined,
): string | undefined {
  if (expected === undefined || actual === undefined) return undefined;
  const marked = compare(expected, actual);
  if (marked.every((one) => one.startsWith("  "))) return undefined;
  return [`line ${String(line)}:`, ...head.map((one) => `  ${one}`), "  ----", ...marked].join("\n");
}

/** Marks the lines outside the longest common subsequence. */
function compare(expected: readonly string[], actual: readonly string[]): readonly string[] {
  // common[i][j] is the length of the longest common subsequence of what follows i and j.
  const common = Array.from({ length: expected.length + 1 }, () =>
    Array.from({ length: actual.length + 1 }, () => 0),
  );
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = expected.length - 1; i >= 0; i -= 1) {
    for (let j = actual.length - 1; j >= 0; j -= 1) {
      const row = common[i];
      if (row === undefined) continue;
      row[j] = expected[i] === actual[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const marked: string[] = [];
  let i = 0;
  let j = 0;
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && j < actual.length && expected[i] === actual[j]) {
      marked.push(`  ${expected[i] ?? ""}`);
      i += 1;
      j += 1;
    } else if (j >= actual.length || (i < expected.length && at(i + 1, j) >= at(i, j + 1))) {
      marked.push(`- ${expected[i] ?? ""}`);
      i += 1;
    } else {
      marked.push(`+ ${actual[j] ?? ""}`);
      j += 1;
    }
  }
  return marked;
}
