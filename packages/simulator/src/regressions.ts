/** Seeds that once failed, each with what they found. They are run with every check. */
export interface Regression {
  readonly seed: number;
  readonly found: string;
}

export const regressions: readonly Regression[] = [];
