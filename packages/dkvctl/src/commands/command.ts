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
  /** Whether a person writes standard input. */
  readonly readsFromTerminal: boolean;
  /** Everything on standard input. @throws Exit if it cannot be read or is absurdly long */
  readInput(): Promise<Uint8Array>;
  /**
   * What a person types and nobody is to see, up to the end of the line; or a line of standard input, if that
   * is no terminal. @throws Exit if the person gives up
   */
  readSecret(question: string): Promise<string>;
  /** Standard input, line by line, without line ends. @throws Exit if it cannot be read, or is not UTF-8 */
  lines(): AsyncIterable<string>;
  /** Writes to standard output, once in a run and as the last thing. @throws Exit if it cannot be written */
  print(text: string | Uint8Array): Promise<void>;
  /** Writes a part of what is printed. False if nobody reads it any more. @throws Exit if it cannot be written */
  printPart(text: string | Uint8Array): Promise<boolean>;
  /** Writes to standard error. */
  explain(text: string): void;
  /**
   * Work that has something to clear away: when the run is to be ended from outside, the signal is aborted,
   * and the run ends once the work has.
   */
  interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void>;
  /**
   * Work that goes on until it is told to end: by the signal, with the name of the process signal as its
   * reason, and what becomes of the run then is the work's to say. The second time the process ends at once.
   */
  untilStopped(work: (signal: AbortSignal) => Promise<void>): Promise<void>;
}
