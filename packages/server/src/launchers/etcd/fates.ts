/** What is said of flags that mean nothing here. */
import { usage } from "../../config/value-reader.ts";
import type { LauncherDeps } from "../launcher.ts";
import { etcdFlags } from "./flags.ts";
import type { GivenFlags } from "./values.ts";

/**
 * Says a line for each that makes no difference. Throws a StartupError of kind `usage` for the first on which
 * somebody relies.
 */
export function settleFates(given: GivenFlags, say: LauncherDeps["say"]): void {
  for (const [name, { text, source }] of given) {
    const { fate, default: fallback } = etcdFlags[name];
    if (fate.kind === "refused" && !fate.unless.includes(text))
      throw usage(`${source} is "${text}": ${fate.instead}`);
    if (fate.kind === "ignored" && text !== fallback) say(`${source} makes no difference: ${fate.because}`);
  }
}
