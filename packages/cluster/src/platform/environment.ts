import { delimiter, dirname } from "node:path";

/**
 * This process's environment without what would configure a member behind the caller's back. Members are
 * run by the same Node as this process.
 */
export function plainEnvironment(): Readonly<Record<string, string | undefined>> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("DKV_"));
  const path = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
  return { ...Object.fromEntries(inherited), PATH: path };
}
