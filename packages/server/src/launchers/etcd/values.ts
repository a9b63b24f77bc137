/** What flags of etcd say, from wherever it comes. */
import { usage } from "../../config/value-reader.ts";
import type { Given } from "../../config/values.ts";
import { truth } from "../go-flags.ts";
import { type EtcdFlagName, etcdFlags } from "./flags.ts";

export type GivenFlags = ReadonlyMap<EtcdFlagName, Given>;

/** Of a switch `true` or `false`. Throws a StartupError of kind `usage`. */
export function settledText(name: EtcdFlagName, text: string, source: string): string {
  if (etcdFlags[name].kind === "text") return text;
  const value = truth(text);
  if (value === undefined) throw usage(`${source} is "${text}": write true or false`);
  return value;
}

/** What one flag says, with its default if it is not given. */
export const textOf = (given: GivenFlags, name: EtcdFlagName): string =>
  given.get(name)?.text ?? etcdFlags[name].default;

/** As people know it. */
export const sourceOf = (given: GivenFlags, name: EtcdFlagName): string =>
  given.get(name)?.source ?? `--${name}`;

export const isOn = (given: GivenFlags, name: EtcdFlagName): boolean => textOf(given, name) === "true";
