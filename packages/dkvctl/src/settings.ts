/** What applies to every command, from flags and environment variables. */
import { durationAdvice, parseDuration } from "./duration.ts";
import { usageError } from "./exit.ts";

export const outputs = ["json", "table", "value"] as const;
export type Output = (typeof outputs)[number];

export interface Settings {
  readonly endpoints: readonly string[];
  readonly tls:
    | { readonly certFile?: string; readonly keyFile?: string; readonly caFile?: string }
    | undefined;
  /** On whose behalf; without a password, that is to be asked for. */
  readonly user: { readonly name: string; readonly password: string | undefined } | undefined;
  readonly timeoutMs: number;
  /** Undefined: what the command prints by default. */
  readonly output: Output | undefined;
}

/** Flags with a value, in the order in which `--help` lists them. */
export const globalFlags = {
  endpoint: "host:port of a member; several with commas, or given again",
  cert: "client certificate file",
  key: "client key file",
  cacert: "file of the certificate authority that the members' certificates come from",
  user: "NAME, whose password is asked for, or NAME:PASSWORD",
  timeout: "how long the command may take, for example 500ms or 1m30s (5s unless given)",
  output: "form of what is printed: json, table or value",
} as const;

export type GlobalFlag = keyof typeof globalFlags;
export type Environment = Readonly<Record<string, string | undefined>>;
/** What the command line says: nothing, one value, or several because the flag was repeated. */
export type FlagValues = Readonly<Partial<Record<GlobalFlag, string | readonly string[] | undefined>>>;

/** The variable that stands in for a flag that is not given. */
export const variableOf = (flag: GlobalFlag): string => `DKVCTL_${flag.toUpperCase()}`;

const defaultTimeoutMs = 5000;
const longestTimeoutMs = 24 * 3_600_000;

/**
 * Flags come before variables; an empty variable counts as none. @throws Exit for a value that cannot be
 * meant
 */
export function settle(flags: FlagValues, environment: Environment): Settings {
  return {
    endpoints: endpointsOf(flags, environment),
    tls: tlsOf(flags, environment),
    user: userOf(flags, environment),
    ...formOf(flags, environment),
  };
}

/** For a command that needs no member. @throws Exit as {@link settle} does */
export function formOf(flags: FlagValues, environment: Environment): Pick<Settings, "timeoutMs" | "output"> {
  return {
    timeoutMs: timeoutOf(single("timeout", flags, environment)),
    output: outputOf(flags, environment),
  };
}

/** Whether members are talked to with TLS. */
export function usesTls({ tls, endpoints }: Pick<Settings, "tls" | "endpoints">): boolean {
  return tls !== undefined || endpoints.some((endpoint) => /^https:/i.test(endpoint));
}

function endpointsOf(flags: FlagValues, environment: Environment): readonly string[] {
  const given = [flags.endpoint ?? environment[variableOf("endpoint")] ?? []].flat();
  const endpoints = given.flatMap((list) => list.split(",")).map((item) => item.trim());
  const named = endpoints.filter((item) => item !== "");
  if (named.length > 0) return named;
  throw usageError(`no endpoint given: add --endpoint=localhost:3000, or set ${variableOf("endpoint")}`);
}

function tlsOf(flags: FlagValues, environment: Environment): Settings["tls"] {
  const certFile = single("cert", flags, environment);
  const keyFile = single("key", flags, environment);
  const caFile = single("cacert", flags, environment);
  if (certFile !== undefined && keyFile === undefined)
    throw usageError("--cert is given without --key: a client certificate needs its key, so give both");
  if (keyFile !== undefined && certFile === undefined)
    throw usageError("--key is given without --cert: a client key needs its certificate, so give both");
  if (certFile === undefined && keyFile === undefined && caFile === undefined) return undefined;
  return { ...(certFile && { certFile }), ...(keyFile && { keyFile }), ...(caFile && { caFile }) };
}

/** A password may have a colon in it, and a name may not. */
function userOf(flags: FlagValues, environment: Environment): Settings["user"] {
  const text = single("user", flags, environment);
  if (text === undefined) return undefined;
  const at = text.indexOf(":");
  const name = at < 0 ? text : text.slice(0, at);
  if (name === "") throw usageError("--user names nobody: write NAME, or NAME:PASSWORD");
  return { name, password: at < 0 ? undefined : text.slice(at + 1) };
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return defaultTimeoutMs;
  const timeoutMs = parseDuration(text);
  if (timeoutMs === undefined) throw usageError(`--timeout ${text} is not a duration: ${durationAdvice}`);
  if (timeoutMs < 1 || timeoutMs > longestTimeoutMs)
    throw usageError(`--timeout ${text} is not between 1ms and 24h: write for example 5s`);
  return timeoutMs;
}

function outputOf(flags: FlagValues, environment: Environment): Output | undefined {
  const text = single("output", flags, environment);
  const output = outputs.find((known) => known === text);
  if (text !== undefined && output === undefined)
    throw usageError(`--output ${text} is no form of output: write one of ${outputs.join(", ")}`);
  return output;
}

/** One value or none. */
function single(flag: GlobalFlag, flags: FlagValues, environment: Environment): string | undefined {
  const given = flags[flag];
  if (typeof given === "string" && given !== "") return given;
  if (given === "") throw usageError(`--${flag} is empty: leave it out or give it a value`);
  if (given !== undefined) throw usageError(`--${flag} is given more than once: give it once`);
  const inherited = environment[variableOf(flag)];
  return inherited === "" ? undefined : inherited;
}
