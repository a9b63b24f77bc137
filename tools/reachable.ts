/** Files that no program and no package would miss. */
import { globSync, readFileSync } from "node:fs";
import { importsOf } from "./imports.ts";
import { root, type SourceFile } from "./sources.ts";

/** Where a program begins: what a package exports, what it runs, and what the bench runs as a process of its own. */
const entry =
  /^packages\/(?:[^/]+\/src\/(?:main|index)|bench\/src\/(?:(?:recovery|store)\/main|store\/probe\/inside|store\/watch\/host|systems\/fixed-reply))\.ts$/;

/** Source files that cannot be reached from any entry by imports; tests do not count. */
export function unreachableFiles(files: readonly SourceFile[]): readonly string[] {
  const sources = new Map(
    files.filter(({ path }) => /^packages\/[^/]+\/src\//.test(path)).map((file) => [file.path, file]),
  );
  const reached = new Set<string>();
  const pending = [...sources.keys()].filter((path) => entry.test(path));
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const file = sources.get(path);
    if (file === undefined || reached.has(path)) continue;
    reached.add(path);
    pending.push(...importsOf(file).map(({ target }) => target));
  }
  return [...sources.keys()].filter((path) => !reached.has(path));
}

/** A file that a document names in backticks, as a path from the root or the end of one. */
const named = /`(?<path>[\w@.-]+(?:\/[\w@.-]+)+)`/g;

/** Names of files in a document that no file of the repository bears. */
export function missingFiles(document: string): readonly string[] {
  const existing = globSync(
    [
      "packages/*",
      "packages/*/{src,test,bin,examples}/**/*",
      "packages/*/*",
      "proto/**/*",
      "tools/**/*",
      "*",
      ".ci/*",
    ],
    { cwd: root },
  );
  const names = [...document.matchAll(named)].map(({ groups }) => groups?.["path"] ?? "");
  const files = names.filter((name) => /\.(?:ts|js|proto)$/.test(name) || name.startsWith("packages/"));
  return files.filter((name) => !existing.some((path) => path === name || path.endsWith(`/${name}`)));
}

/** The text of a document at the root; undefined if there is none. */
export function readDocument(name: string): string | undefined {
  return globSync(name, { cwd: root }).length === 0 ? undefined : readFileSync(`${root}${name}`, "utf8");
}
