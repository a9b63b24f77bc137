/**
 * Messages as plain values, which people can read and edit, and a file can hold: fields by etcd's names,
 * those that are not set left out; bytes as texts of one letter for each byte; numbers beyond 2^53 as texts.
 */
import { create, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";

export type Plain = null | boolean | number | string | readonly Plain[] | PlainMessage;
export interface PlainMessage {
  readonly [field: string]: Plain;
}

/** What stands in the place of a field's value; undefined: as if it were not set. */
export type Convert = (field: DescField, value: Plain) => Plain | undefined;

/** Turns a text in the place of a number, `latest-3`, into the number. */
export type Resolve = (symbol: string) => bigint;

/** Under this name, in the place of fields that the definition does not have, are their numbers. */
export const unknownFields = "unknown fields";

/** The message as a plain value, each field as `convert` wants it. */
export function toPlain(schema: DescMessage, message: Message, convert: Convert): PlainMessage {
  return plainMessage(reflect(schema, message), convert);
}

function plainMessage(message: ReflectMessage, convert: Convert): PlainMessage {
  const plain: Record<string, Plain> = {};
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const value = convert(field, plainField(message, field, convert));
    if (value !== undefined) plain[field.name] = value;
  }
  const unknown = message.getUnknown() ?? [];
  if (unknown.length > 0) plain[unknownFields] = unknown.map(({ no }) => no);
  return plain;
}

function plainField(message: ReflectMessage, field: DescField, convert: Convert): Plain {
  switch (field.fieldKind) {
    case "message":
      return plainMessage(message.get(field), convert);
    case "list": {
      const items: Plain[] = [];
      for (const item of message.get(field) as Iterable<unknown>) {
        items.push(
          field.listKind === "message" ? plainMessage(item as ReflectMessage, convert) : plainScalar(item),
        );
      }
      return items;
    }
    case "map":
      throw new RangeError(`${field.name} is a map, and etcd has none`);
    default:
      return plainScalar(message.get(field));
  }
}

function plainScalar(value: unknown): Plain {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "string") return value;
  throw new RangeError(`a value of type ${typeof value} in a message`);
}

/**
 * The message that a plain value stands for. Throws RangeError for a field that the message does not have, or
 * a value that the field cannot hold.
 */
export function fromPlain(schema: DescMessage, plain: PlainMessage, resolve: Resolve): Message {
  const message = create(schema);
  fill(reflect(schema, message), plain, resolve);
  return message;
}

function fill(message: ReflectMessage, plain: PlainMessage, resolve: Resolve): void {
  for (const [name, value] of Object.entries(plain)) {
    const field = message.desc.fields.find((one) => one.name === name);
    if (field === undefined) throw new RangeError(`${message.desc.typeName} has no field ${name}`);
    fillField(message, { field, value, resolve });
  }
}

interface Filling {
  readonly field: DescField;
  readonly value: Plain;
  readonly resolve: Resolve;
}

function fillField(message: ReflectMessage, { field, value, resolve }: Filling): void {
  switch (field.fieldKind) {
    case "message":
      message.set(field, inner(field.message, value, resolve));
      return;
    case "list": {
      const list = message.get(field);
      for (const item of value as readonly Plain[]) {
        if (field.listKind === "message") list.add(inner(field.message, item, resolve));
        else list.add(field.listKind === "enum" ? item : scalar(field.scalar, item, resolve));
      }
      return;
    }
    case "map":
      throw new RangeError(`${field.name} is a map, and etcd has none`);
    case "enum":
      message.set(field, Number(value));
      return;
    default:
      message.set(field, scalar(field.scalar, value, resolve));
  }
}

function inner(schema: DescMessage, value: Plain, resolve: Resolve): ReflectMessage {
  const message = reflect(schema);
  fill(message, value as PlainMessage, resolve);
  return message;
}

function scalar(type: ScalarType, value: Plain, resolve: Resolve): unknown {
  switch (type) {
    case ScalarType.BYTES:
      return Buffer.from(bytesText(value), "latin1");
    case ScalarType.INT64:
      return BigInt.asIntN(64, wide(value, resolve));
    case ScalarType.UINT64:
      return BigInt.asUintN(64, wide(value, resolve));
    default:
      return value;
  }
}

function wide(value: Plain, resolve: Resolve): bigint {
  if (typeof value === "string" && !/^-?\d+$/.test(value)) return resolve(value);
  return BigInt(value as string | number);
}

/** `{ repeat: "x", times: 1000 }` stands for long texts. */
function bytesText(value: Plain): string {
  if (typeof value === "string") return value;
  const { repeat, times } = value as PlainMessage;
  return textOf(repeat ?? "").repeat(Number(times));
}

/** A text as it is, everything else as JSON. */
export function textOf(value: Plain): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
