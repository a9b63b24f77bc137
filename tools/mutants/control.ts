/**
 * The control: the same tests with every guard in its place. What fails here fails for another reason than a
 * missing guard, and says nothing of one.
 */
import { type Finder, type Ground, huntByTests } from "./hunt.ts";

export class Control {
  readonly #ground: Ground;
  readonly #found = new Map<string, Promise<Finder>>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** The test of the file that fails though no guard is missing; undefined if all pass. Runs it once. */
  failureIn(file: string): Promise<Finder> {
    const known = this.#found.get(file);
    if (known !== undefined) return known;
    const found = huntByTests(this.#ground, file);
    this.#found.set(file, found);
    return found;
  }

  /** Files that were run, and the tests that failed in them. */
  async failures(): Promise<readonly { readonly file: string; readonly test: string }[]> {
    const found = await Promise.all(
      Array.from(this.#found, async ([file, test]) => [file, await test] as const),
    );
    return found.flatMap(([file, test]) => (test === undefined ? [] : [{ file, test }]));
  }
}
