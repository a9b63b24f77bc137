import type { Io } from "../commands/command.ts";

export interface Progress {
  add(count: number): void;
  /** Leaves the line empty for what comes next. */
  end(): void;
}

/**
 * Says on a terminal how much has come, on a line of its own.
 *
 * @param step said again after so much
 * @param text of what has come so far
 */
export function progressOn(io: Io, step: number, text: (sum: number) => string): Progress {
  let sum = 0;
  let said = 0;
  return {
    add: (count) => {
      sum += count;
      const steps = Math.floor(sum / step);
      if (steps === said || !io.explainsToTerminal) return;
      said = steps;
      io.explain(`\r${text(sum)}`);
    },
    end: () => {
      if (said > 0) io.explain("\r\u001B[K");
    },
  };
}
