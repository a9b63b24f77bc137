import { isatty } from "node:tty";

import { Exit, exitCodes } from "../exit.ts";
import { splitLines } from "./split-lines.ts";

const interrupt = "\u0003";
const endOfText = "\u0004";
const backspaces: ReadonlySet<string> = new Set(["\u007F", "\b"]);
const ends: ReadonlySet<string> = new Set(["\r", "\n", endOfText]);

/**
 * What is typed at the terminal up to the end of the line, and not shown there; or the next line of standard
 * input, if that is no terminal.
 */
export async function readSecret(question: string): Promise<string> {
  if (!isatty(0)) {
    for await (const line of splitLines(process.stdin as AsyncIterable<Buffer>, "standard input"))
      return line;
    return "";
  }
  process.stderr.write(question);
  const { stdin } = process;
  stdin.setRawMode(true);
  try {
    return await typed();
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    process.stderr.write("\n");
  }
}

function typed(): Promise<string> {
  const { stdin } = process;
  const characters: string[] = [];
  return new Promise((resolve, reject) => {
    const onData = (bytes: Buffer): void => {
      for (const character of bytes.toString()) {
        if (character === interrupt) {
          stdin.off("data", onData);
          reject(new Exit(exitCodes.failure, "interrupted: nothing was done"));
          return;
        }
        if (ends.has(character)) {
          stdin.off("data", onData);
          resolve(characters.join(""));
          return;
        }
        if (backspaces.has(character)) characters.pop();
        else characters.push(character);
      }
    };
    stdin.on("data", onData);
    stdin.resume();
  });
}
