/** Logs: one line an event, never a key or a value. */
import { type Logger, pino } from "pino";
import pretty from "pino-pretty";

export interface LoggerOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "text" | "json";
}

/** A logger on standard error. Writes before it returns, so that the last words of a process are not lost. */
export function createLogger({ level, format }: LoggerOptions): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (format === "json") {
    return pino(
      { ...options, formatters: { level: (label) => ({ level: label }) } },
      pino.destination({ dest: 2, sync: true }),
    );
  }
  const stream = pretty({
    destination: 2,
    sync: true,
    colorize: process.stderr.isTTY,
    singleLine: true,
    translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l",
  });
  return pino(options, stream);
}
