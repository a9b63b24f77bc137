import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";

import type { Environment } from "../settings.ts";

const prefix = "DKVCTL_";

/**
 * The variables of the process, and those of `.env.local` and `.env` in the working directory that are not
 * set otherwise. Only names that start with DKVCTL_ are taken from the files: the rest belongs to others.
 */
export function readEnvironment(): Environment {
  return { ...ownVariables(".env"), ...ownVariables(".env.local"), ...process.env };
}

function ownVariables(file: string): Environment {
  const variables = Object.entries(parseEnv(readIfThere(file)));
  return Object.fromEntries(variables.filter(([name]) => name.startsWith(prefix)));
}

/** A file that is missing or not ours to read is as good as empty: nothing was asked of it. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
