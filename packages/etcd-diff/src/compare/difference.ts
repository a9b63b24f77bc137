import type { Plain, PlainMessage } from "../message/plain.ts";
import { isList } from "../step.ts";

/** The first place where two values are not alike. */
export interface Difference {
  /** Fields and places in lists from the outside in, `kvs.2.value`. */
  readonly path: string;
  /** Undefined: it is not there. */
  readonly a: Plain | undefined;
  readonly b: Plain | undefined;
}

export function differenceOf(a: Plain | undefined, b: Plain | undefined): Difference | undefined {
  return difference([], a, b);
}

function difference(
  path: readonly string[],
  a: Plain | undefined,
  b: Plain | undefined,
): Difference | undefined {
  if (a === b) return undefined;
  if (a !== undefined && b !== undefined && isInner(a) && isInner(b) && isList(a) === isList(b)) {
    const fields: readonly [PlainMessage, PlainMessage] = [fieldsOf(a), fieldsOf(b)];
    for (const name of new Set([...Object.keys(fields[0]), ...Object.keys(fields[1])])) {
      const found = difference([...path, name], fields[0][name], fields[1][name]);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return { path: path.join("."), a, b };
}

function isInner(value: Plain): value is readonly Plain[] | PlainMessage {
  return typeof value === "object" && value !== null;
}

/** A list as if its places were names of fields. */
function fieldsOf(value: readonly Plain[] | PlainMessage): PlainMessage {
  return isList(value) ? Object.fromEntries(value.entries()) : value;
}
