/** How a run ends: the exit codes are part of the interface that scripts rely on. */

export const exitCodes = {
  success: 0,
  /** The cluster, the network or the machine failed. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
  keyNotFound: 4,
  /** A write has a condition, and it does not hold. */
  conditionNotMet: 5,
} as const;

/** Ends the run with one line on standard error; an empty message is no line. */
export class Exit extends Error {
  override readonly name = "Exit";
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The command line is wrong, and the message says how to write it. */
export function usageError(message: string, options?: ErrorOptions): Exit {
  return new Exit(exitCodes.usage, message, options);
}
