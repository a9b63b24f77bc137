/** What a command takes. */

export interface CommandEntry {
  /** One word. */
  readonly name: string;
  readonly describe: string;
  readonly operands: readonly Operand[];
  /** Flags without a value that only this command has. */
  readonly switches: Readonly<Record<string, string>>;
  /** Flags with a value that only this command has. */
  readonly flags?: Readonly<Record<string, FlagEntry>>;
  /** What a person may write who knows other systems: answered with a hint, not understood. */
  readonly hintedAt: readonly string[];
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** What the next word may be; then all else is said there. */
  readonly subcommands?: readonly CommandEntry[];
  /** Said at the end of its help. */
  readonly epilogue?: string;
}

export interface Operand {
  /** In capitals, so that it is not the same as a flag. */
  readonly name: string;
  readonly describe: string;
  readonly isOptional?: boolean;
  /** All words that are left, and none is fine. Only the last operand. */
  readonly isRest?: boolean;
  readonly choices?: readonly string[];
}

export interface FlagEntry {
  /** What its value is, in capitals. */
  readonly value: string;
  readonly describe: string;
}
