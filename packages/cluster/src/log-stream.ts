/** The logs of all members in one stream, each line under its member's name. */
import { type Paint, renderLogLine, type Style } from "./log-line.ts";

/** In the order in which the members take them. */
const memberStyles: readonly Style[] = ["cyan", "magenta", "green", "blue", "yellow"];

export interface LogStream {
  /** Writes a line that a member printed. */
  readonly memberLine: (member: string, line: string) => void;
  /** Writes words of our own, set apart from the members'. */
  readonly say: (text: string) => void;
}

export function createLogStream(
  members: readonly string[],
  { write, paint }: { readonly write: (text: string) => unknown; readonly paint: Paint },
): LogStream {
  const width = Math.max(0, ...members.map((member) => member.length));
  const prefixOf = (member: string): string => {
    const style = memberStyles[members.indexOf(member) % memberStyles.length] ?? "bold";
    return paint(style, `${member.padEnd(width)} |`);
  };
  return {
    memberLine(member, line) {
      const prefix = prefixOf(member);
      for (const rendered of renderLogLine(line, paint)) write(`${prefix} ${rendered}\n`);
    },
    say(text) {
      for (const line of text.split("\n")) write(`${line === "" ? "" : paint("bold", line)}\n`);
    },
  };
}
