/** Reads single values, and complains with the place where they were given. */
import { formatAddress, type ListenAddress, parseHostPort } from "../platform/address.ts";
import { StartupError } from "../platform/startup-error.ts";
import type { FlagName } from "./flags.ts";
import type { Values } from "./values.ts";

const durationUnits = { "": 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const byteUnits = { "": 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** No timer of Node's runs for longer than 2^31 - 1 ms. */
const longestHours = 576;

/** A hundred years. */
const mostHours = 876_000;

/** The shortest duration that makes sense. */
interface Least {
  readonly ms: number;
  readonly because?: string;
}

export interface Endpoint {
  readonly address: ListenAddress;
  /** Undefined if it is not said. */
  readonly scheme: "http" | "https" | undefined;
}

/** What sets a flag that a launcher made of words of its own: "$SERVER_PORT". Complaints name that. */
export type Setters = Partial<Readonly<Record<FlagName, string>>>;

/** Every method throws a StartupError of kind `usage` when the value is not what it should be. */
export class ValueReader {
  readonly #values: Values;
  readonly #setters: Setters;

  constructor(values: Values, setters: Setters = {}) {
    this.#values = values;
    this.#setters = setters;
  }

  optional(name: FlagName): string | undefined {
    const text = this.#values.get(name)?.text.trim();
    if (text?.includes("\uFFFD") === true) throw usage(`${this.source(name)} is not valid UTF-8`);
    return text === "" ? undefined : text;
  }

  /** Whether somebody wrote it, rather than leave it to the default. */
  isGiven(name: FlagName): boolean {
    const value = this.#values.get(name);
    return value !== undefined && value.isDefault !== true;
  }

  required(name: FlagName): string {
    const text = this.optional(name);
    if (text !== undefined) return text;
    const setter = this.#setters[name];
    throw usage(
      setter === undefined
        ? `--${name} is missing; see dkv --help for an example`
        : `${setter} is empty; write a value, or leave it out`,
    );
  }

  isOn(name: FlagName): boolean {
    return this.optional(name) !== undefined && this.choice(name, ["true", "false"]) === "true";
  }

  choice<Choice extends string>(name: FlagName, choices: readonly Choice[]): Choice {
    const text = this.required(name);
    const choice = choices.find((one) => one === text);
    if (choice === undefined)
      throw usage(`${this.source(name)} is "${text}"; write one of ${choices.join(", ")}`);
    return choice;
  }

  count(name: FlagName, { least, most }: { readonly least: number; readonly most: number }): number {
    const text = this.required(name);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw usage(
        `${this.source(name)} is "${text}"; write a whole number from ${String(least)} to ${String(most)}`,
      );
    }
    return value;
  }

  /** Milliseconds, up to an hour. A number without a unit is milliseconds, as etcd's flags have it. */
  duration(name: FlagName, { ms: leastMs }: Pick<Least, "ms"> = { ms: 1 }): number {
    const text = this.required(name);
    const value = quantity(text, durationUnits);
    if (!(value >= leastMs) || value > durationUnits["h"]) {
      const from = leastMs > 1 ? `from ${String(leastMs)}ms ` : "";
      throw usage(`${this.source(name)} is "${text}"; write a duration such as 100ms or 1s, ${from}up to 1h`);
    }
    return value;
  }

  /** Milliseconds, from a second unless `least` says more to {@link longestHours}; undefined for 0, which means never. */
  durationOrNever(name: FlagName, least: Least = { ms: durationUnits["s"] }): number | undefined {
    const text = this.required(name);
    const value = quantity(text, durationUnits);
    if (value === 0) return undefined;
    if (!(value >= least.ms) || value > longestHours * durationUnits["h"]) {
      const seconds = `${String(least.ms / durationUnits["s"])}s`;
      const why = least.because === undefined ? "" : ` (${least.because})`;
      throw usage(
        `${this.source(name)} is "${text}"; write a duration such as 30m or 24h, from ${seconds}${why} to ` +
          `${String(longestHours)}h, or 0 for never`,
      );
    }
    return value;
  }

  /** Milliseconds, from a second to {@link mostHours}; a number without a unit is hours. Undefined for 0: never. */
  hoursOrNever(name: FlagName): number | undefined {
    const text = this.required(name);
    const value = quantity(text, { ...durationUnits, "": durationUnits["h"] });
    if (value === 0) return undefined;
    if (!(value >= durationUnits["s"]) || value > mostHours * durationUnits["h"])
      throw usage(
        `${this.source(name)} is "${text}"; write a duration such as 30m or 72h, or hours such as 1, from 1s to ` +
          `${String(mostHours)}h, or 0 for never`,
      );
    return value;
  }

  /** Milliseconds, from a second to {@link longestHours}; a number without a unit is seconds, as etcd's flag has it. */
  seconds(name: FlagName): number {
    return secondsOf(this.required(name), this.source(name));
  }

  /** Bytes; a number without a unit is bytes. */
  bytes(name: FlagName): number {
    const text = this.required(name);
    const value = quantity(text, byteUnits);
    if (!Number.isSafeInteger(Math.round(value)))
      throw usage(`${this.source(name)} is "${text}"; write bytes, such as 1048576, 512KiB, 256MiB or 1GiB`);
    return Math.round(value);
  }

  address(name: FlagName): ListenAddress {
    const address = parseHostPort(this.required(name), this.source(name));
    const setBy = this.#setters[name];
    return setBy === undefined ? address : { ...address, setBy };
  }

  /** Items with commas between them; none if the flag is not given. */
  list(name: FlagName): readonly string[] {
    const items = (this.optional(name) ?? "").split(",").map((item) => item.trim());
    return items.filter((item) => item !== "");
  }

  /** Addresses to listen on, as {@link list}, with http:// or https:// in front where that is said. */
  endpoints(name: FlagName): readonly Endpoint[] {
    const setBy = this.#setters[name];
    return this.list(name).map((item) => {
      const { scheme, rest = "" } = /^(?:(?<scheme>https?):\/\/)?(?<rest>.*)$/s.exec(item)?.groups ?? {};
      const address = { ...parseHostPort(rest, this.source(name)), ...(setBy !== undefined && { setBy }) };
      return { address, scheme: scheme === "http" || scheme === "https" ? scheme : undefined };
    });
  }

  /** As {@link endpoints}, where there is nothing to say in front. */
  addresses(name: FlagName): readonly ListenAddress[] {
    const setBy = this.#setters[name];
    const addresses = this.list(name).map((item) => parseHostPort(item, this.source(name)));
    return addresses.map((address) => (setBy === undefined ? address : { ...address, setBy }));
  }

  pairs(name: FlagName): readonly { readonly name: string; readonly address: string }[] {
    return this.list(name).map((item) => this.#pair(name, item));
  }

  /** Either every one of these flags is given, or none is. */
  allOrNone(names: readonly FlagName[]): readonly (string | undefined)[] {
    const texts = names.map((name) => this.optional(name));
    const missing = names.filter((_, position) => texts[position] === undefined);
    if (missing.length !== 0 && missing.length !== names.length) {
      const given = names.filter((name) => !missing.includes(name));
      throw usage(`${list(given)} given without ${list(missing)}; give all of them, or none for cleartext`);
    }
    return texts;
  }

  #pair(flagName: FlagName, item: string): { name: string; address: string } {
    const at = item.indexOf("=");
    if (at <= 0)
      throw usage(
        `${this.source(flagName)} has "${item}"; write NAME=HOST:PORT, such as dkv-0=localhost:2380`,
      );
    const address = parseHostPort(item.slice(at + 1).trim(), `${this.source(flagName)}, ${item}`);
    if (address.host === undefined)
      throw usage(`${this.source(flagName)} has "${item}" without a host; others must be able to dial it`);
    return { name: item.slice(0, at).trim(), address: formatAddress(address) };
  }

  /** The place where it was given, for complaints. */
  source(name: FlagName): string {
    return this.#setters[name] ?? this.#values.get(name)?.source ?? `--${name}`;
  }
}

/** A number with one of these units behind it; NaN for anything else. */
function quantity(text: string, units: Readonly<Record<string, number>>): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  return Number(number) * (Object.hasOwn(units, unit) ? (units[unit] ?? Number.NaN) : Number.NaN);
}

/**
 * As {@link ValueReader.seconds}, of a part of a value.
 *
 * @param source for a complaint
 */
export function secondsOf(text: string, source: string): number {
  const value = quantity(text, { ...durationUnits, "": durationUnits["s"] });
  if (!(value >= durationUnits["s"]) || value > longestHours * durationUnits["h"])
    throw usage(
      `${source} is "${text}"; write a duration such as 300s or 10m, or seconds such as 300, from 1s to ${String(longestHours)}h`,
    );
  return value;
}

function list(names: readonly FlagName[]): string {
  return names.map((name) => `--${name}`).join(", ");
}

export function usage(message: string): StartupError {
  return new StartupError("usage", message);
}
