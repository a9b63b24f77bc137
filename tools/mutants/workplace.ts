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
import { type Mutant, mutated } from "./mutant.ts";

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
    for (const name of copied)
      cpSync(join(root, name), join(directory, name), { recursive: true, filter: isNoBundle });
    linkModules(directory);
    const workplace = new Workplace(directory);
    mkdirSync(workplace.temporary);
    return workplace;
  }

  /** Takes the guard out of the copy; what it returns puts it back. */
  apply(mutant: Mutant): () => void {
    const path = join(this.directory, mutant.file);
    const source = readFileSync(path, "utf8");
    const changed = mutated(mutant, source);
    if (changed === undefined) throw new Error(`${mutant.file} was changed while it was copied`);
    writeFileSync(path, changed);
    return () => {
      writeFileSync(path, source);
    };
  }

  /** Types need not fit any more: a guard that is gone may leave an import that nobody uses. */
  async compile(signal: AbortSignal): Promise<void> {
    await run("tsc", ["--build"], { cwd: this.directory, signal }).catch(() => undefined);
  }

  /** Where tests put their directories: those that are killed leave them behind. */
  get temporary(): string {
    return join(this.directory, "tmp");
  }

  delete(): void {
    // Who was killed a moment ago may still have made a file.
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Programs run from what is compiled in the copy, never from a bundle of the original. */
const isNoBundle = (path: string): boolean => !path.endsWith("/dist/bundle");

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
