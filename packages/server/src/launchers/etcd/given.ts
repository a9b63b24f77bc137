/** What is given of etcd's flags: on the command line, which wins over the environment, or in a file alone. */
import type { Given } from "../../config/values.ts";
import { givenGoFlags } from "../go-flags.ts";
import type { LauncherDeps } from "../launcher.ts";
import { readEtcdFile } from "./config-file.ts";
import { type EtcdFlagName, etcdFlagNames, etcdFlags, etcdVariable } from "./flags.ts";
import { type GivenFlags, settledText } from "./values.ts";

export type EtcdCommandLine =
  | { readonly kind: "run"; readonly given: GivenFlags }
  | { readonly kind: "help" }
  | { readonly kind: "version" };

const prefix = "ETCD_";

/** Said by what starts it on machines that etcd does not know. */
const unsupported = "ETCD_UNSUPPORTED_ARCH";

/** Rejects with a StartupError. Says a line about everything that makes no difference. */
export async function gatherEtcdFlags(
  words: readonly string[],
  { environment, say }: Pick<LauncherDeps, "environment" | "say">,
): Promise<EtcdCommandLine> {
  const written = givenGoFlags(words, etcdFlags);
  if (written === undefined) return { kind: "help" };
  if (written.get("version") === "true") return { kind: "version" };
  const variables = fromEnvironment(environment, say);
  const file = written.get("config-file") ?? variables.get("config-file")?.text ?? "";
  if (file !== "") return { kind: "run", given: await readEtcdFile(file, say) };
  const flags = Array.from(written, ([name, text]): readonly [EtcdFlagName, Given] => [
    name,
    { text, source: `--${name}` },
  ]);
  return { kind: "run", given: new Map([...variables, ...flags]) };
}

/** An empty variable is none. */
function fromEnvironment(environment: LauncherDeps["environment"], say: LauncherDeps["say"]): GivenFlags {
  const names = new Map(etcdFlagNames.map((name) => [etcdVariable(name), name]));
  const given = new Map<EtcdFlagName, Given>();
  const unknown: string[] = [];
  for (const [variable, text = ""] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || variable === unsupported || text === "") continue;
    const name = names.get(variable);
    if (name === undefined || name === "version") unknown.push(`$${variable}`);
    else given.set(name, { text: settledText(name, text, `$${variable}`), source: `$${variable}` });
  }
  if (unknown.length > 0) say(`nothing is called ${unknown.join(", ")}, which the environment has: ignored`);
  return given;
}
