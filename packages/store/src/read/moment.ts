import type { Layer } from "../overlay/layer.ts";
import type { Revision } from "../results.ts";
import type { StateScanner } from "../storage.ts";

/** The store at one moment. */
export interface Moment {
  readonly scanner: StateScanner;
  /** In front of the disk, newest first: all that the disk does not have yet. */
  readonly layers: readonly Layer[];
  readonly revision: Revision;
}
