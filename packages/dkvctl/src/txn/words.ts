/** One line of a transaction, as words. */
import { parseCount } from "../values.ts";

/** A line that makes no sense, in words. */
export class TxnMistake extends Error {
  override readonly name = "TxnMistake";
}

/** A word: as it stands, or a JSON string. A comment ends the line. */
const word = /\s*(?:(?<quoted>"(?:[^"\\]|\\.)*")|(?<comment>#.*)|(?<plain>[^\s"#][^\s"]*)|(?<wrong>\S.*))/gy;

interface Word {
  readonly text: string;
  /** What is written as a string is no flag. */
  readonly isQuoted: boolean;
}

/** The words of a line, and the flags among them, which may stand anywhere after the first word. */
export class Words {
  readonly #words: readonly Word[];
  readonly #flags = new Map<string, string | true>();
  #next = 0;

  /** @param withValue flags that take the next word for a value. @throws TxnMistake */
  constructor(
    line: string,
    { switches, withValue }: { switches: readonly string[]; withValue: readonly string[] },
  ) {
    const words: Word[] = [];
    const all = [...split(line)];
    for (let each = all.shift(); each !== undefined; each = all.shift()) {
      const { name, value } = /^--(?<name>[^=]+)(?:=(?<value>.*))?$/s.exec(each.text)?.groups ?? {};
      if (each.isQuoted || name === undefined) words.push(each);
      else if (switches.includes(name) && value === undefined) this.#flags.set(name, true);
      else if (withValue.includes(name)) {
        const given = value ?? all.shift()?.text;
        if (given === undefined) throw new TxnMistake(`--${name} needs a value`);
        this.#flags.set(name, given);
      } else throw noSuchFlag(each.text);
    }
    this.#words = words;
  }

  has(flag: string): boolean {
    return this.#flags.has(flag);
  }

  value(flag: string): string | undefined {
    const given = this.#flags.get(flag);
    return given === true ? undefined : given;
  }

  count(flag: string): number | undefined {
    const text = this.value(flag);
    return text === undefined ? undefined : parseCount(`--${flag}`, text);
  }

  /** The next word. @param what is missing if there is none. @throws TxnMistake */
  take(what: string): string {
    const taken = this.#words[this.#next];
    if (taken === undefined) throw new TxnMistake(`${what} is missing`);
    this.#next += 1;
    return taken.text;
  }

  /** Complains about what was not taken, and about flags that are not among these. @throws TxnMistake */
  end(...flags: readonly string[]): void {
    const extra = this.#words[this.#next];
    if (extra !== undefined)
      throw new TxnMistake(
        `one word too many, "${extra.text}": text with spaces is written as a JSON string`,
      );
    const wrong = [...this.#flags.keys()].find((flag) => !flags.includes(flag));
    if (wrong !== undefined) throw new TxnMistake(`--${wrong} has no meaning here`);
  }
}

function noSuchFlag(text: string): TxnMistake {
  return new TxnMistake(`there is no flag ${text}; a word that looks like one is written "${text}"`);
}

function split(line: string): readonly Word[] {
  const words: Word[] = [];
  for (const { groups } of line.trimEnd().matchAll(word)) {
    const { quoted, plain, wrong } = groups ?? {};
    if (wrong !== undefined) throw new TxnMistake(`a string has no end, or is no word of its own: ${wrong}`);
    if (quoted !== undefined) words.push({ text: unquote(quoted), isQuoted: true });
    else if (plain !== undefined) words.push({ text: plain, isQuoted: false });
  }
  return words;
}

function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw new TxnMistake(`${quoted} is no JSON string`);
  }
}
