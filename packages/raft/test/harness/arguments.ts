import { assert } from "../../src/assert.ts";
import type { EntryId, NodeId } from "../../src/types.ts";
import { at, n } from "../solo.ts";
import type { Pattern } from "./network.ts";

/** The words of a command, taken one after the other, and its options as `name=value` in any place. */
export class Arguments {
  readonly name: string;
  readonly #command: string;
  readonly #words: string[];
  readonly #options = new Map<string, string>();

  constructor(command: string) {
    this.#command = command;
    const [name = "", ...words] = command.trim().split(/\s+/);
    this.name = name;
    const isOption = (word: string): boolean => /^[a-zA-Z]+=/.test(word);
    this.#words = words.filter((word) => !isOption(word));
    for (const word of words.filter(isOption)) {
      const at = word.indexOf("=");
      this.#options.set(word.slice(0, at), word.slice(at + 1));
    }
  }

  /** Everything that was written must have meant something. */
  checkUsed(): void {
    this.#expect(this.#words.length === 0, `nobody understood ${this.#words.join(" ")}`);
    this.#expect(this.#options.size === 0, `nobody understood ${[...this.#options.keys()].join(" ")}`);
  }

  node(): NodeId {
    return n(this.count());
  }

  count(): number {
    return this.#toNumber(this.#word());
  }

  /** A count, or 1. */
  optionalCount(): number {
    return this.#words.length === 0 ? 1 : this.count();
  }

  /** `1,2,3`; undefined if there is nothing. */
  nodes(): readonly NodeId[] | undefined {
    return this.#words.length === 0 ? undefined : this.#toNodes(this.#word());
  }

  /** `1,2 3,4,5`: what stays together. */
  groups(): readonly (readonly NodeId[])[] {
    return this.rest().map((group) => this.#toNodes(group));
  }

  rest(): readonly string[] {
    return this.#words.splice(0);
  }

  oneOf<Choice extends string>(choices: readonly Choice[]): Choice {
    const word = this.#word();
    const choice = choices.find((one) => one === word);
    assert(choice !== undefined, `${this.#command}: one of ${choices.join(", ")}`);
    return choice;
  }

  /** Whether the word is there. */
  flag(name: string): boolean {
    const at = this.#words.indexOf(name);
    if (at === -1) return false;
    this.#words.splice(at, 1);
    return true;
  }

  /** `1->2`, `*->2`, perhaps with a kind of message; undefined if there is nothing. */
  pattern(): Pattern | undefined {
    const route = this.#words.shift();
    if (route === undefined) return undefined;
    const [from, to, ...more] = route
      .split("->")
      .map((id) => (id === "*" ? undefined : n(this.#toNumber(id))));
    this.#expect(more.length === 0 && route.includes("->"), "a route is written 1->2");
    return { from, to, kind: this.#words.shift() };
  }

  optional(name: string): string | undefined {
    const value = this.#options.get(name);
    this.#options.delete(name);
    return value;
  }

  optionalNumber(name: string): number | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : this.#toNumber(value);
  }

  number(name: string): number {
    const value = this.optionalNumber(name);
    assert(value !== undefined, `${this.#command}: ${name}= is needed`);
    return value;
  }

  /** `3/4`: index 3, term 4. */
  entryId(name: string): EntryId {
    const [index, ofTerm] = this.optional(name)?.split("/") ?? [];
    assert(index !== undefined && ofTerm !== undefined, `${this.#command}: ${name}=3/4 is needed`);
    return at(this.#toNumber(index), this.#toNumber(ofTerm));
  }

  numbers(name: string): readonly number[] | undefined {
    return this.optional(name)
      ?.split(",")
      .map((value) => this.#toNumber(value));
  }

  #word(): string {
    const word = this.#words.shift();
    assert(word !== undefined, `${this.#command}: something is missing at the end`);
    return word;
  }

  #toNodes(word: string): readonly NodeId[] {
    return word.split(",").map((id) => n(this.#toNumber(id)));
  }

  #toNumber(word: string): number {
    this.#expect(/^\d+$/.test(word), `${word} is not a number`);
    return Number(word);
  }

  #expect(condition: boolean, problem: string): void {
    assert(condition, `${this.#command}: ${problem}`);
  }
}
