/** One line of a member's log, made readable: pino's JSON in, a line for people out. */

/** Adds colour to a text; plain text where colour is not wanted. */
export type Paint = (style: Style, text: string) => string;

export type Style = "dim" | "red" | "yellow" | "bold" | "cyan" | "green" | "magenta" | "blue";

const levelStyles: Readonly<Record<string, Style>> = {
  warn: "yellow",
  error: "red",
  fatal: "red",
  debug: "dim",
};

/** Fields that are shown elsewhere in the line than among the others. */
const ownPlace = new Set(["time", "level", "msg", "err"]);

/** Returns several lines when the event carries an error with a stack. What is not JSON stays as it is. */
export function renderLogLine(line: string, paint: Paint): readonly string[] {
  const event = parseEvent(line);
  if (event === undefined) return [line];
  const { time, level, msg, err } = event;
  const name = typeof level === "string" ? level : "";
  const style = levelStyles[name];
  const message = typeof msg === "string" ? msg : "";
  const fields = Object.entries(event).filter(([key]) => !ownPlace.has(key));
  const failure = describeError(err);
  if (failure.message !== undefined) fields.push(["err", failure.message]);
  const parts = [
    paint("dim", timeOfDay(time)),
    style === undefined ? name.padEnd(5) : paint(style, name.padEnd(5)),
    style === undefined || style === "dim" ? message : paint(style, message),
    ...fields.map(([key, value]) => paint("dim", `${key}=${describe(value)}`)),
  ];
  return [
    parts.filter((part) => part !== "").join(" "),
    ...failure.stack.map((frame) => paint("dim", `    ${frame}`)),
  ];
}

function parseEvent(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    // Half a line, as a killed process leaves it.
    return undefined;
  }
}

/** The clock's part of an ISO time: whoever watches a log knows the day. */
function timeOfDay(time: unknown): string {
  if (typeof time !== "string") return "";
  return /T(\d\d:\d\d:\d\d\.\d+)/.exec(time)?.[1] ?? time;
}

function describe(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function describeError(error: unknown): { readonly message?: string; readonly stack: readonly string[] } {
  if (typeof error !== "object" || error === null) return { stack: [] };
  const message = "message" in error && typeof error.message === "string" ? error.message : "unknown";
  const stack = "stack" in error && typeof error.stack === "string" ? error.stack : "";
  const frames = stack.split("\n").map((frame) => frame.trim());
  return {
    message,
    stack: frames.filter((frame) => frame.startsWith("at ") || frame.startsWith("caused by")),
  };
}
