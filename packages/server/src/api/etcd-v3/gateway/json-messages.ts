/**
 * Messages as JSON, as the gateway of etcd writes and reads it: fields by the names of the definitions, and
 * fields that are not known passed over.
 */
import { type DescMessage, fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { requestReading } from "../../unary-method.ts";

const reading = { ignoreUnknownFields: true, recursionLimit: requestReading.recursionLimit } as const;
const writing = { useProtoFieldName: true } as const;

/** The bytes of a message. Throws a ConnectError for what is none. */
export function bytesOfText(schema: DescMessage, text: string): Uint8Array {
  try {
    // As where a field is null, all of them are left out.
    const value = jsonIn(text) ?? {};
    return toBinary(schema, fromJson(schema, value, reading));
  } catch (error) {
    throw new ConnectError(error instanceof Error ? error.message : String(error), Code.InvalidArgument);
  }
}

/** A message on one line. */
export function textOfBytes(schema: DescMessage, bytes: Uint8Array): string {
  return textOf(toJson(schema, fromBinary(schema, bytes, requestReading), writing));
}

/** Some characters are written in such a way that a page may have the text in it, as Go does. */
export const textOf = (value: JsonValue): string =>
  JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** Has digits that may be too many for a number. */
const mayBeLong = /\d{16}/;
const integer = /^-?\d+$/;

/**
 * Integers that a number would not hold exactly stay as they are written: messages take them as texts too.
 */
function jsonIn(text: string): JsonValue {
  const exact: Reviver = (_, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) && integer.test(context?.source ?? "")
      ? context?.source
      : value;
  return (mayBeLong.test(text) ? JSON.parse(text, exact) : JSON.parse(text)) as JsonValue;
}

/**
 * JSON.parse tells what was written where it is a number. Source: ECMAScript, proposal JSON.parse source text
 * access.
 */
type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;
