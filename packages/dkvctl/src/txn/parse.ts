/** The text of a transaction, as `dkvctl txn --help` explains it. */
import { type Compare, compare, DkvClientError, type Keys, op, type TxnOperation } from "@dkv/client";

import { Exit } from "../exit.ts";
import { parseCount, parseLease, parseSeconds } from "../values.ts";
import { TxnMistake, Words } from "./words.ts";

export type Section = "if" | "then" | "else";

/** A transaction in the making, line by line. */
export class TxnText {
  readonly compares: Compare[] = [];
  readonly success: TxnOperation[] = [];
  readonly failure: TxnOperation[] = [];
  #section: Section = "if";

  get section(): Section {
    return this.#section;
  }

  /** @throws TxnMistake about a line that makes no sense, which then counts as not read */
  read(line: string): void {
    const words = new Words(line, flags);
    const first = /^\s*(?:#|$)/.test(line) ? undefined : words.take("a word");
    if (first === undefined) return;
    if (first === "then" || first === "else") {
      words.end();
      this.enter(first);
    } else if (first === "if") {
      if (this.#section !== "if") throw new TxnMistake('"if" stands before "then" and "else"');
      this.compares.push(compareOf(words));
    } else {
      if (this.#section === "if")
        throw new TxnMistake(`"${first}" stands after "then" or "else"; before, write if`);
      (this.#section === "then" ? this.success : this.failure).push(operationOf(first, words));
    }
  }

  /** Begins another section; there is no way back. */
  enter(section: Section): void {
    const order: readonly Section[] = ["if", "then", "else"];
    if (order.indexOf(section) <= order.indexOf(this.#section))
      throw new TxnMistake(`there is a "${section}" already, or an "else" before it`);
    this.#section = section;
  }
}

const flags = {
  switches: ["prefix", "keys-only", "previous"],
  withValue: ["ttl", "lease", "limit"],
} as const;

const relations = { "=": "is", "!=": "isNot", "<": "isLessThan", ">": "isGreaterThan" } as const;

const properties = [
  "exists",
  "missing",
  "version",
  "create_revision",
  "mod_revision",
  "value",
  "lease",
] as const;

function compareOf(words: Words): Compare {
  const given = words.take("what is compared");
  const property = properties.find((known) => known === given);
  if (property === undefined)
    throw new TxnMistake(
      `"${given}" cannot be compared: write ${properties.slice(0, -1).join(", ")} or ${properties.at(-1)}`,
    );
  const key = words.take("the key");
  const of = compare(keysOf(words, key));
  if (property === "exists" || property === "missing") {
    words.end("prefix");
    return property === "exists" ? of.exists() : of.isMissing();
  }
  const relation = words.take("the relation");
  const operand = words.take("what it is compared with");
  words.end("prefix");
  const method = Object.entries(relations).find(([sign]) => sign === relation)?.[1];
  if (method === undefined) throw new TxnMistake(`"${relation}" is no relation: write =, !=, < or >`);
  switch (property) {
    case "version":
      return of.version[method](parseCount("the version", operand));
    case "create_revision":
      return of.createRevision[method](parseCount("the revision", operand));
    case "mod_revision":
      return of.modRevision[method](parseCount("the revision", operand));
    case "value":
      return of.value[method](operand);
    case "lease":
      return of.lease[method](operand === "0" ? 0n : parseLease("the lease", operand));
  }
}

function operationOf(name: string, words: Words): TxnOperation {
  const key = words.take("the key");
  switch (name) {
    case "get": {
      const limit = words.count("limit") ?? 0;
      words.end("prefix", "limit", "keys-only");
      return op.get(keysOf(words, key), { limit, keysOnly: words.has("keys-only") });
    }
    case "set": {
      const value = words.take("the value");
      words.end("ttl", "lease", "previous");
      const [ttl, lease] = [words.value("ttl"), words.value("lease")];
      if (key === "") throw new TxnMistake("the key is empty");
      return op.set(key, value, {
        returnPrevious: words.has("previous"),
        ...(ttl !== undefined && { ttlSeconds: parseSeconds("--ttl", ttl) }),
        ...(lease !== undefined && { lease: parseLease("--lease", lease) }),
      });
    }
    case "delete":
      words.end("prefix", "previous");
      return op.delete(keysOf(words, key), { returnPrevious: words.has("previous") });
    default:
      throw new TxnMistake(`"${name}" is no operation: write get, set or delete`);
  }
}

function keysOf(words: Words, key: string): Keys {
  if (words.has("prefix")) return { prefix: key };
  if (key === "") throw new TxnMistake("the key is empty");
  return { key };
}

/** What is wrong with a line, in words; other errors as they are. */
export function mistakeIn(error: unknown): string {
  if (error instanceof TxnMistake || error instanceof Exit || error instanceof DkvClientError)
    return error.message;
  throw error;
}
