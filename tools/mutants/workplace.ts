/** A private copy of the tree, in which guards may be taken out while others work on the original. */
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { root } from "../sources.ts";
import type { Mutant } from "./mutant.ts";

const run = promisify(execFile);

/** Of these copies are made: code, what it was compiled to, and what compiles it. */
const copied = ["packages", "package.json", "tsconfig.json", "tsconfig.base.json"];

export class Workplace {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static make(): Workplace {
    const directory = mkdtempSync(join(tmpdir(), "dkv-mutants-"));
    for (const name of copied) cpSync(join(root, name), join(directory, name), { recursive: true });
    linkModules(directory);
    return new Workplace(directory);
  }

  /** Takes the guard out. Throws if it does not stand in its file exactly once. */
  apply({ file, guard, instead = "" }: Mutant): void {
    const source = readFileSync(join(root, file), "utf8");
    if (source.split(guard).length !== 2)
      throw new Error(`${file} does not have this exactly once:\n${guard}\nchange the list of mutants`);
    // A function, for what takes its place may have a $ in it.
    writeFileSync(
      join(this.directory, file),
      source.replace(guard, () => instead),
    );
  }

  undo({ file }: Mutant): void {
    cpSync(join(root, file), join(this.directory, file));
  }

  /** Types need not fit any more: a guard that is gone may leave an import that nobody uses. */
  async compile(): Promise<void> {
    await run("tsc", ["--build"], { cwd: this.directory }).catch(() => undefined);
  }

  delete(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The packages of others as they are, and our own from the copy. */
function linkModules(directory: string): void {
  const from = join(root, "node_modules");
  const to = join(directory, "node_modules");
  mkdirSync(join(to, "@dkv"), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name === "@dkv" || name === ".cache") continue;
    symlinkSync(join(from, name), join(to, name));
  }
  for (const name of readdirSync(join(from, "@dkv"))) {
    const link = join(to, "@dkv", name);
    symlinkSync(join(dirname(to), "packages", name), link);
  }
}
