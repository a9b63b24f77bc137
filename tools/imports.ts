/** What a source file imports. The formatter's shape of an import makes a parser unnecessary. */
import { posix } from "node:path";
import type { SourceFile } from "./sources.ts";

export interface Import {
  /** A path from the root for a relative import, else what is written: `node:fs`, `@dkv/raft`. */
  readonly target: string;
  /** Whether only types are taken, so that nothing of it is left when the program runs. */
  readonly isTypeOnly: boolean;
  /** The values that are taken by name; empty for a namespace, a default or a side effect. */
  readonly values: readonly string[];
}

const statement = /^(?:import|export)\s+(?<type>type\s)?(?<clause>[^"';]*?)\s*from\s*"(?<from>[^"]+)"/gm;
const sideEffect = /^import\s+"(?<from>[^"]+)"/gm;
const expression = /\bimport\(\s*"(?<from>[^"]+)"\s*\)/g;

export function importsOf({ path, text }: SourceFile): readonly Import[] {
  const found: Import[] = [];
  for (const { groups } of text.matchAll(statement)) {
    const names = namesOf(groups?.["clause"] ?? "");
    const isTypeOnly = groups?.["type"] !== undefined || (names !== undefined && names.values.length === 0);
    const values = isTypeOnly ? [] : (names?.values ?? []);
    found.push({ target: resolve(path, groups?.["from"] ?? ""), isTypeOnly, values });
  }
  for (const pattern of [sideEffect, expression]) {
    for (const { groups } of text.matchAll(pattern)) {
      found.push({ target: resolve(path, groups?.["from"] ?? ""), isTypeOnly: false, values: [] });
    }
  }
  return found;
}

/** The values of `{ a, type B, c as d }`; undefined when the clause is not only braces. */
function namesOf(clause: string): { readonly values: readonly string[] } | undefined {
  const inner = /^\{(?<inner>[^}]*)\}$/.exec(clause)?.groups?.["inner"];
  if (inner === undefined) return undefined;
  const items = inner.split(",").map((item) => item.trim());
  const values = items.filter((item) => item !== "" && !item.startsWith("type "));
  return { values: values.map((item) => item.split(/\s/)[0] ?? item) };
}

function resolve(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return posix.join(posix.dirname(from), specifier);
}
