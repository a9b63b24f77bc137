/** Logs: one line an event, never a key or a value. */
import { type DestinationStream, type Logger, type LoggerOptions as PinoOptions, pino } from "pino";
import pretty from "pino-pretty";
import { StartupError } from "./startup-error.ts";
import { whyUnreadable } from "./unreadable.ts";

export interface LoggerOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** `zap` is JSON with the names that etcd's logger gives to what is in every line. */
  readonly format: "text" | "json" | "zap";
  /** Files, which are appended to, or `stderr`, or `stdout`. Standard error if there are none. */
  readonly outputs?: readonly string[];
}

const descriptors: Readonly<Record<string, number>> = { stdout: 1, stderr: 2 };

/**
 * A logger that writes before it returns, so that the last words of a process are not lost. Throws a
 * StartupError of kind `environment` if a file cannot be written.
 */
export function createLogger({ level, format, outputs = [] }: LoggerOptions): Logger {
  const targets = outputs.length === 0 ? ["stderr"] : outputs;
  const streams = targets.map((target) => openOutput(target, format));
  const [only, ...others] = streams;
  const stream =
    only !== undefined && others.length === 0
      ? only
      : pino.multistream(streams.map((each) => ({ level, stream: each })));
  return pino({ level, base: null, ...formatOptions[format] }, stream);
}

const labelled: PinoOptions = { formatters: { level: (label) => ({ level: label }) } };

const formatOptions: Readonly<Record<LoggerOptions["format"], PinoOptions>> = {
  text: { timestamp: pino.stdTimeFunctions.isoTime },
  json: { ...labelled, timestamp: pino.stdTimeFunctions.isoTime },
  zap: { ...labelled, timestamp: () => pino.stdTimeFunctions.isoTime().replace('"time"', '"ts"') },
};

function openOutput(target: string, format: LoggerOptions["format"]): DestinationStream {
  const dest = descriptors[target] ?? target;
  try {
    if (format !== "text") return pino.destination({ dest, sync: true });
    return pretty({
      destination: pino.destination({ dest, sync: true }),
      sync: true,
      colorize: dest === 2 && process.stderr.isTTY,
      singleLine: true,
      translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l",
    });
  } catch (error) {
    throw new StartupError("environment", `cannot log to ${target}, which ${whyUnreadable(error)}`, {
      cause: error,
    });
  }
}
