/**
 * Words that yargs would take for something else, hidden from it: keys and values that look like flags
 * (everything after `--`), `-`, the empty word, negative numbers. It sees a stand-in for each.
 */
export class GuardedWords {
  readonly words: readonly string[];
  readonly #hidden = new Map<string, string>();

  constructor(words: readonly string[]) {
    const end = words.includes("--") ? words.indexOf("--") : words.length;
    this.words = [
      ...words.slice(0, end).map((word) => (/^(?:-?|-\d.*)$/s.test(word) ? this.#hide(word) : word)),
      ...words.slice(end + 1).map((word) => this.#hide(word)),
    ];
  }

  restore(text: string): string {
    return text.replaceAll(/\0\d+\0/g, (standIn) => this.#hidden.get(standIn) ?? standIn);
  }

  restoreOne(value: unknown): string | undefined {
    return typeof value === "string" ? this.restore(value) : undefined;
  }

  restoreAny(value: unknown): string | readonly string[] | undefined {
    return Array.isArray(value) ? value.map((each) => this.restore(String(each))) : this.restoreOne(value);
  }

  /** No argument of a process can have a zero byte in it, so a stand-in is never mistaken for a word. */
  #hide(word: string): string {
    const standIn = `\0${this.#hidden.size}\0`;
    this.#hidden.set(standIn, word);
    return standIn;
  }
}
