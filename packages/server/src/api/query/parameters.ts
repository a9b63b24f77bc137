/**
 * The parameters of a query, as bytes. URLSearchParams would make text of them, and what is not UTF-8 would
 * be lost.
 */

export type Parameters = ReadonlyMap<string, Buffer>;

/**
 * Of parameters that are there twice, the first one counts. One with an escape that is none is left out, as
 * if it were not there.
 *
 * @param query what stands behind the question mark, each character a byte
 */
export function readParameters(query: string): Parameters {
  const parameters = new Map<string, Buffer>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = unescaped(at < 0 ? pair : pair.slice(0, at))?.toString();
    const value = unescaped(at < 0 ? "" : pair.slice(at + 1));
    if (name !== undefined && value !== undefined && !parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

/** A parameter as text; undefined if it is not there or empty. */
export function textOf(parameters: Parameters, name: string): string | undefined {
  const bytes = parameters.get(name);
  return bytes === undefined || bytes.length === 0 ? undefined : bytes.toString();
}

const percent = 0x25;
const plus = 0x2b;
const blank = 0x20;

/** The bytes that a name or a value stands for; undefined if it stands for none. */
function unescaped(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "latin1");
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    let byte = bytes[at] ?? 0;
    if (byte === percent) {
      const digits = text.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return undefined;
      byte = Number.parseInt(digits, 16);
      at += 2;
    } else if (byte === plus) {
      byte = blank;
    }
    bytes[length] = byte;
    length += 1;
  }
  return bytes.subarray(0, length);
}
