/** Which header fields make a request. Source: RFC 9113 §8.2 and §8.3. */
import type { Header } from "../hpack/static-table.ts";

/** What a request says before its body. Requests that say the same may share one object. */
export interface RequestHead {
  readonly method: string;
  /** "" for CONNECT, which has neither. */
  readonly scheme: string;
  readonly path: string;
  /** Of `:authority`, or else of `host`. */
  readonly authority: string | undefined;
  /** The other fields by lower-case name; several of one name are joined as HTTP has it. */
  readonly fields: ReadonlyMap<string, string>;
  readonly contentLength: number | undefined;
}

/** Why a block of fields is not a request, or not trailers. */
export interface Malformed {
  readonly malformed: string;
}

const pseudoNames: ReadonlySet<string> = new Set([":method", ":scheme", ":path", ":authority"]);
const forbiddenNames: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
const nameForm = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// A field must not smuggle another one into a protocol that ends its fields with these.
const unfitValue = /[\0\r\n]|^[ \t]|[ \t]$/;

export function readRequestHead(headers: readonly Header[]): RequestHead | Malformed {
  const pseudo = new Map<string, string>();
  const fields = new Map<string, string>();
  for (const [name, value] of headers) {
    if (name.startsWith(":")) {
      if (fields.size > 0) return { malformed: "a pseudo-header after another header" };
      if (!pseudoNames.has(name)) return { malformed: "an unknown pseudo-header" };
      if (pseudo.has(name)) return { malformed: "a pseudo-header twice" };
      if (unfitValue.test(value)) return { malformed: "a value with characters that no value has" };
      pseudo.set(name, value);
      continue;
    }
    const fault = fieldFault(name, value) ?? repetitionFault(name, value, fields);
    if (fault !== undefined) return { malformed: fault };
    const before = name === "content-length" ? undefined : fields.get(name);
    fields.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`);
  }
  return assemble(pseudo, fields);
}

/** Says what is wrong with fields that follow a body; undefined if nothing is. */
export function trailersFault(headers: readonly Header[]): string | undefined {
  for (const [name, value] of headers) {
    const fault = name.startsWith(":") ? "a pseudo-header after the body" : fieldFault(name, value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function assemble(
  pseudo: ReadonlyMap<string, string>,
  fields: ReadonlyMap<string, string>,
): RequestHead | Malformed {
  const method = pseudo.get(":method") ?? "";
  const scheme = pseudo.get(":scheme");
  const path = pseudo.get(":path");
  const authority = pseudo.get(":authority") || fields.get("host");
  if (!nameForm.test(method.toLowerCase())) return { malformed: "no method" };
  if (method === "CONNECT") {
    if (scheme !== undefined || path !== undefined) return { malformed: "CONNECT with a path" };
  } else if (scheme === undefined || path === undefined) {
    return { malformed: "no scheme or no path" };
  } else if (!path.startsWith("/") && !(path === "*" && method === "OPTIONS")) {
    return { malformed: "a path that is none" };
  }
  const length = fields.get("content-length");
  const contentLength = length === undefined ? undefined : Number(length);
  return { method, scheme: scheme ?? "", path: path ?? "", authority, fields, contentLength };
}

function fieldFault(name: string, value: string): string | undefined {
  if (!nameForm.test(name)) return "a name with characters that no name has";
  if (unfitValue.test(value)) return "a value with characters that no value has";
  if (forbiddenNames.has(name)) return "a field about the connection";
  if (name === "te" && value !== "trailers") return "a te that is not trailers";
  return undefined;
}

function repetitionFault(
  name: string,
  value: string,
  fields: ReadonlyMap<string, string>,
): string | undefined {
  if (name !== "content-length") return undefined;
  if (!/^\d{1,15}$/.test(value)) return "a content-length that is no number";
  const before = fields.get(name);
  return before === undefined || before === value ? undefined : "two different content-lengths";
}
