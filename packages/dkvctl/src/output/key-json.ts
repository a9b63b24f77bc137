/**
 * Keys in the `json` form. `value` is there if the value is text, `value_base64` always; a key that is no text
 * has `key_base64` in place of `key`. Leases are text, in hexadecimal, as `dkvctl lease` takes them.
 */
import { isUtf8 } from "node:buffer";

import type { KeyValue, TxnOperationResult, TxnResult, WatchEvent } from "@dkv/client";

import { leaseText } from "../values.ts";
import { headerJson, line } from "./json.ts";

export function keyJson(kv: KeyValue, { isKeyOnly = false }: { readonly isKeyOnly?: boolean } = {}): object {
  const { value, createRevision, modRevision, version, lease } = kv;
  return {
    ...nameJson(kv),
    ...(!isKeyOnly && valueJson(value)),
    create_revision: createRevision,
    mod_revision: modRevision,
    version,
    ...(lease !== undefined && { lease: leaseText(lease) }),
  };
}

/** As import reads it. */
export function exportJson(kv: KeyValue): string {
  const text = textOf(kv.value);
  const value =
    text === undefined ? { value_base64: Buffer.from(kv.value).toString("base64") } : { value: text };
  return line({ ...nameJson(kv), ...value });
}

export function eventJson({ kind, kv, previous }: WatchEvent): string {
  const now = kind === "set" ? keyJson(kv) : { ...nameJson(kv), mod_revision: kv.modRevision };
  return line({ event: kind, ...now, ...(previous !== undefined && { previous: keyJson(previous) }) });
}

export function txnJson({ succeeded, results, header }: TxnResult): string {
  return line({ succeeded, results: results.map(resultJson), header: headerJson(header) });
}

function resultJson(result: TxnOperationResult): object {
  switch (result.kind) {
    case "get":
      return {
        get: { found: result.found.map((kv) => keyJson(kv)), count: result.count, more: result.hasMore },
      };
    case "set":
      return { set: result.previous === undefined ? {} : { previous: keyJson(result.previous) } };
    case "delete":
      return { delete: { deleted: result.deleted, previous: result.previous.map((kv) => keyJson(kv)) } };
    case "txn":
      return { txn: { succeeded: result.succeeded, results: result.results.map(resultJson) } };
  }
}

function nameJson({ key, rawKey }: Pick<KeyValue, "key" | "rawKey">): object {
  return rawKey === undefined ? { key } : { key_base64: Buffer.from(rawKey).toString("base64") };
}

/** Both forms of a value. */
export function valueJson(value: Uint8Array): object {
  const text = textOf(value);
  return {
    ...(text !== undefined && { value: text }),
    value_base64: Buffer.from(value).toString("base64"),
  };
}

function textOf(value: Uint8Array): string | undefined {
  return isUtf8(value) ? Buffer.from(value).toString("utf8") : undefined;
}
