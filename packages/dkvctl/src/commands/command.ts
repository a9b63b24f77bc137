import type { DkvClient } from "@dkv/client";

import type { Output } from "../settings.ts";

/** What a command has to work with. */
export interface CommandContext {
  readonly client: DkvClient;
  /** Whether members serve their clients with TLS. */
  readonly usesTls: boolean;
  /** Undefined: the command's default. */
  readonly output: Output | undefined;
  readonly io: Io;
}

export interface Io {
  /** Whether a person reads standard output, and not a program. */
  readonly printsToTerminal: boolean;
  /** Whether a person reads standard error. */
  readonly explainsToTerminal: boolean;
  /** Everything on standard input. @throws Exit if it cannot be read or is absurdly long */
  readInput(): Promise<Uint8Array>;
  /** Writes to standard output, once in a run. @throws Exit if it cannot be written */
  print(text: string | Uint8Array): Promise<void>;
  /** Writes to standard error. */
  explain(text: string): void;
  /**
   * Work that has something to clear away: when the run is to be ended from outside, the signal is aborted,
   * and the run ends once the work has.
   */
  interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void>;
}
