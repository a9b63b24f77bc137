/** The project's own source files. */
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));

export interface SourceFile {
  /** Relative to the root of the repository, with slashes: `packages/raft/src/types.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file that is written by hand. */
export function readSources(): readonly SourceFile[] {
  const paths = globSync(["packages/*/{src,test}/**/*.ts", "packages/*/*.ts", "tools/*.ts"], { cwd: root });
  return paths
    .filter((path) => !path.startsWith("packages/protocol/src/gen/"))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((path) => ({ path, text: readFileSync(`${root}${path}`, "utf8") }));
}
