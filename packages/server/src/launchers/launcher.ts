/** Other ways to start a member: the command lines of older systems. Each makes flags of dkv out of its own words. */
import type { Setters } from "../config/value-reader.ts";
import type { Clock } from "../platform/clock.ts";

export interface LauncherDeps {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Takes a line for whoever starts the member. */
  readonly say: (line: string) => void;
}

/** How whoever started the member expects it to behave, where that is not what dkv does. */
export interface Manners {
  /** A line to log once it could serve clients, for scripts that wait for it. */
  readonly readyLine: string;
  /** Whether the signal that stops it is what ends it, and not its exit code. */
  readonly diesOfSignals: boolean;
}

export type Launch =
  /** The words of a command line of dkv, to which the environment may add what they leave open. */
  | {
      readonly kind: "start";
      readonly words: readonly string[];
      /** What people change who want other values of these flags. */
      readonly setters: Setters;
      readonly manners?: Manners;
    }
  /** Print the text and end well. */
  | { readonly kind: "print"; readonly text: string };

/** Rejects with a StartupError. */
export type Launcher = (words: readonly string[], deps: LauncherDeps) => Promise<Launch>;
